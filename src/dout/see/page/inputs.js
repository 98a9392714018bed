// Sliders and number fields: every value and derivative follows at once, and Python too where there is one behind the page.

import { clean, html, replace } from "./dom.js";
import { numberOf, short } from "./numbers.js";

export class Inputs {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.rows = new Map();
    this.list = html("div", { class: "inputs" });
    this.reset = html("button", { type: "button", class: "link", click: () => this.back() }, say("page.reset"));
    this.element = html("section", { class: "block", "aria-label": say("page.inputs") }, html("h2", {}, say("page.inputs"), this.reset), this.list);
  }

  // Inputs that are one number get a slider; small arrays a field for each entry.
  build() {
    const { description } = this.page;
    this.rows.clear();
    const nodes = description.nodes.filter((node) => node.kind === "input");
    const rows = nodes.filter((node) => node.slider).map((node) => this.slider(node));
    const arrays = nodes.filter((node) => node.value.data && /^float/.test(node.value.dtype ?? "")).map((node) => this.entries(node));
    replace(this.list, rows, arrays);
    this.element.hidden = !rows.length && !arrays.length;
    this.update();
  }

  slider(node) {
    const { names } = this.page;
    const name = names.of(node.id);
    const { min, max, step } = node.slider;
    const field = html("input", { type: "number", step: "any", "aria-label": name, input: () => this.typed(node, field) });
    const range = html("input", { type: "range", min, max, step: "any", "aria-label": this.page.say("page.slider", { name }), input: () => this.move(node, snapped(Number(range.value), step)),
      keydown: (event) => this.nudge(event, node, step) });
    this.rows.set(node.id, { field, range });
    return html("div", { class: "input" }, html("label", {}, html("bdi", {}, name), field), range);
  }

  // The browser's own steps would start at the minimum, and be too small.
  nudge(event, node, step) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.move(node, snapped(numberOf(this.page.numbers.value(node.id)) + by * step, step));
  }

  entries(node) {
    const { names, say } = this.page;
    const name = names.of(node.id);
    const cols = node.value.shape.at(-1) ?? 1;
    const fields = node.value.data.map((_, i) => html("input", { type: "number", step: "any",
      "aria-label": `${name}[${indexOf(i, node.value.shape).join(", ")}]`, input: () => this.entry(node, fields) }));
    this.rows.set(node.id, { fields });
    const grid = html("div", { class: "entries" }, fields);
    grid.style.setProperty("--columns", Math.min(cols, 4));
    return html("details", { class: "input" }, html("summary", {}, html("bdi", {}, name), html("small", {}, node.value.t, say("page.entries"))), grid);
  }

  typed(node, field) {
    if (field.value === "" || Number.isNaN(field.valueAsNumber)) return;
    this.move(node, field.valueAsNumber, field);
  }

  entry(node, fields) {
    const data = fields.map((field) => field.valueAsNumber);
    if (data.some(Number.isNaN)) return;
    const { shape } = node.value;
    const before = node.value.data.map(Number);
    this.page.numbers.put(node.id, data.every((x, i) => x === before[i]) ? undefined : { shape, data });
    const name = this.page.names.of(node.id);
    this.page.send(Object.fromEntries(data.map((x, i) => [`${name}[${indexOf(i, shape).join(", ")}]`, x])));
    this.page.recomputed(fields);
  }

  move(node, x, source = null) {
    this.page.numbers.put(node.id, x === numberOf(node.value) ? undefined : x);
    this.page.send({ [this.page.names.of(node.id)]: x });
    this.page.recomputed(source && [source]);
  }

  back() {
    const { numbers, names, description } = this.page;
    const changed = Object.fromEntries([...numbers.overrides.keys()].flatMap((id) => {
      const { value } = description.nodes[id];
      const name = names.of(id);
      return value.data ? value.data.map((x, i) => [`${name}[${indexOf(i, value.shape).join(", ")}]`, x]) : [[name, numberOf(value)]];
    }));
    numbers.reset();
    this.page.send(this.page.live ? this.page.firstInputs : changed);
    this.page.recomputed(null);
  }

  // Shows the numbers as they are, but leaves those alone that are being typed.
  update(typed = null) {
    const { numbers, description } = this.page;
    for (const [id, { field, range, fields }] of this.rows) {
      const override = numbers.overrides.get(id);
      const value = description.nodes[id].value;
      if (fields) {
        const data = override?.data ?? value.data;
        fields.forEach((one, i) => typed?.includes(one) || set(one, Number(data[i])));
        continue;
      }
      const x = override ?? numberOf(value);
      if (!typed?.includes(field)) set(field, x);
      range.min = Math.min(Number(range.min), x);
      range.max = Math.max(Number(range.max), x);
      range.value = x;
      range.setAttribute("aria-valuetext", short(x));
      range.style.setProperty("--done", `${(100 * (x - Number(range.min))) / (Number(range.max) - Number(range.min) || 1)}%`);
    }
    this.reset.hidden = numbers.overrides.size === 0 && !this.page.isMoved();
  }

  names() {
    return [...this.rows.keys()].map((id) => clean(this.page.names.of(id)));
  }
}

const set = (field, x) => {
  const text = Number.isFinite(x) ? String(x) : "";
  if (field.value !== text) field.value = text;
};

// To the nearest multiple of a step, without the noise of the division.
function snapped(x, step) {
  return Number((Math.round(x / step) * step).toPrecision(12));
}

function indexOf(i, shape) {
  const out = [];
  for (const n of [...shape].reverse()) {
    out.unshift(i % n);
    i = Math.floor(i / n);
  }
  return out;
}
