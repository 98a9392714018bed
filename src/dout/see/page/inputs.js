// Sliders and number fields: every value and derivative follows at once, and Python too where there is one behind the page.

import { html, replace } from "./dom.js";
import { numberOf, short } from "./numbers.js";

export class Inputs {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.rows = []; // {node, name, field, range} or {node, name, fields}
    this.list = html("div", { class: "inputs" });
    this.reset = html("button", { type: "button", class: "link", click: () => this.back() }, say("page.reset"));
    this.element = html("section", { class: "block", "aria-label": say("page.inputs") }, html("h2", {}, say("page.inputs"), this.reset), this.list);
  }

  // Inputs that are one number get a slider; small arrays a field for each entry. Fields that are there already stay, for
  // someone may be typing in one while Python answers.
  build() {
    const { description, names } = this.page;
    const nodes = description.nodes.filter((node) => node.kind === "input" && (node.slider || hasEntries(node)));
    const form = (node) => JSON.stringify([names.of(node.id), Boolean(node.slider), node.value.shape ?? null]);
    if (nodes.length === this.rows.length && nodes.every((node, i) => this.rows[i].form === form(node))) {
      nodes.forEach((node, i) => (this.rows[i].node = node));
    } else {
      this.rows = nodes.map((node) => ({ node, name: names.of(node.id), form: form(node) }));
      const sliders = this.rows.filter((row) => row.node.slider).map((row) => this.slider(row));
      replace(this.list, sliders, this.rows.filter((row) => !row.node.slider).map((row) => this.entries(row)));
    }
    this.element.hidden = !nodes.length;
    this.update();
  }

  slider(row) {
    const { name, node: { slider: { min, max } } } = row;
    row.field = html("input", { type: "number", step: "any", "aria-label": name, input: () => this.typed(row) });
    row.range = html("input", { type: "range", min, max, step: "any", "aria-label": this.page.say("page.slider", { name }),
      input: () => this.move(row, snapped(Number(row.range.value), row.node.slider.step)), keydown: (event) => this.nudge(event, row) });
    return html("div", { class: "input" }, html("label", {}, html("bdi", {}, name), row.field), row.range);
  }

  // The browser's own steps would be too small.
  nudge(event, row) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const { step } = row.node.slider;
    this.move(row, snapped(numberOf(this.page.numbers.value(row.node.id)) + by * step, step));
  }

  entries(row) {
    const { name, node: { value } } = row;
    row.fields = value.data.map((_, i) => html("input", { type: "number", step: "any", "aria-label": entryName(name, i, value.shape), input: () => this.entry(row) }));
    const grid = html("div", { class: "entries" }, row.fields);
    grid.style.setProperty("--columns", Math.min(value.shape.at(-1) ?? 1, 4));
    return html("details", { class: "input" }, html("summary", {}, html("bdi", {}, name), html("small", {}, value.t, this.page.say("page.entries"))), grid);
  }

  typed(row) {
    if (row.field.value === "" || Number.isNaN(row.field.valueAsNumber)) return;
    this.move(row, row.field.valueAsNumber, [row.field]);
  }

  entry(row) {
    const data = row.fields.map((field) => field.valueAsNumber);
    if (data.some(Number.isNaN)) return;
    const { id, value: { shape, data: before } } = row.node;
    this.page.numbers.put(id, data.every((x, i) => x === Number(before[i])) ? undefined : { shape, data });
    this.page.send(Object.fromEntries(data.map((x, i) => [entryName(row.name, i, shape), x])));
    this.page.recomputed(row.fields);
  }

  move(row, x, typed = null) {
    this.page.numbers.put(row.node.id, x === numberOf(row.node.value) ? undefined : x);
    this.page.send({ [row.name]: x });
    this.page.recomputed(typed);
  }

  back() {
    this.page.numbers.reset();
    if (this.page.live) this.page.send(this.page.firstInputs);
    this.page.recomputed(null);
  }

  // Shows the numbers as they are, but leaves those alone that are being typed.
  update(typed = null) {
    const { numbers } = this.page;
    for (const { node: { id, value }, field, range, fields } of this.rows) {
      const override = numbers.overrides.get(id);
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
}

const hasEntries = (node) => Boolean(node.value.data) && /^float/.test(node.value.dtype ?? "");

// As Python writes it: `x[0, 1]`.
function entryName(name, i, shape) {
  const index = [];
  for (const n of [...shape].reverse()) {
    index.unshift(i % n);
    i = Math.floor(i / n);
  }
  return `${name}[${index.join(", ")}]`;
}

const set = (field, x) => {
  const text = Number.isFinite(x) ? String(x) : "";
  if (field.value !== text) field.value = text;
};

// To the nearest multiple of a step, without the noise of the division.
function snapped(x, step) {
  return Number((Math.round(x / step) * step).toPrecision(12));
}
