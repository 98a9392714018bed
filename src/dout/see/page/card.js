// What there is to know of a thing, beside it: shown on hover and on focus, and gone with Escape.

import { clean, html, replace, svg } from "./dom.js";
import { full, short } from "./numbers.js";
import { told } from "./explain.js";

const SOON = 180;
const LATER = 160;

export class Card {
  constructor(page, stage) {
    this.page = page;
    this.stage = stage;
    this.element = html("div", { class: "card", role: "tooltip", hidden: true, pointerenter: () => this.stay(), pointerleave: () => this.later() });
    this.timer = null;
    this.resting = { x: -1, y: -1 }; // where the pointer was when it last did something
    stage.addEventListener("click", ({ clientX: x, clientY: y }) => (this.resting = { x, y }), { capture: true });
  }

  // A thing that was drawn under a resting pointer wasn't pointed at.
  entered(event, thing, element) {
    const moved = Math.hypot(event.clientX - this.resting.x, event.clientY - this.resting.y) > 1.5;
    if (event.pointerType !== "touch" && moved) this.soon(thing, element);
  }

  soon(thing, element) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(thing, element), SOON);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hide(), LATER);
  }

  stay() {
    clearTimeout(this.timer);
  }

  hide() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }

  show(thing, element) {
    this.stay();
    if (this.stage.classList.contains("dragging") || !element.isConnected) return;
    replace(this.element, thing.arrow ? this.ofArrow(thing.arrow) : thing.group === undefined ? this.ofNode(thing.node) : this.ofGroup(thing.group));
    this.element.hidden = false;
    this.beside(element);
  }

  // Below the thing if there is room, else above; within the stage.
  beside(element) {
    const around = this.stage.getBoundingClientRect();
    const box = (element.querySelector(".hit, .shape") ?? element).getBoundingClientRect();
    const { offsetWidth: w, offsetHeight: h } = this.element;
    const left = Math.min(Math.max(8, (box.left + box.right) / 2 - around.left - w / 2), Math.max(8, around.width - w - 8));
    const below = box.bottom - around.top + 10;
    const top = below + h <= around.height - 4 || box.top - around.top < h + 10 ? below : box.top - around.top - h - 10;
    this.element.style.setProperty("left", `${left}px`);
    this.element.style.setProperty("top", `${Math.max(4, Math.min(top, around.height - h - 4))}px`);
  }

  ofNode(id) {
    const { description, explainer, names, numbers, scene, say } = this.page;
    const node = description.nodes[id];
    const { terms } = explainer.contributions(id, scene);
    const title = node.name && node.kind !== "input" ? `${clean(node.sign)}  ${clean(node.name)}` : names.of(id);
    const seen = this.page.steps.reachedNode(id);
    const total = this.page.seesTotal(id) ? numbers.total(id) : null;
    return [
      html("h3", {}, html("bdi", {}, title), html("small", {}, node.op || say(`page.kind.${node.kind}`))),
      seen ? this.value(numbers.value(id), "page.value", "fore") : html("p", { class: "aside" }, say("page.not.yet")),
      total ? this.value(total, "page.derivative", "back") : null,
      total && terms.length > 1 ? html("p", { class: "aside" }, say("page.meets", { n: terms.length })) : null,
      this.params(node), this.where(node.where),
    ];
  }

  ofArrow(arrow) {
    const { description, explainer, numbers, say } = this.page;
    const edges = arrow.edges.map((e) => description.edges[e]);
    const to = explainer.toward(arrow);
    const back = this.page.seesDerivative(arrow);
    const derivative = numbers.under(arrow);
    const { local, formula: math } = explainer.factors(arrow, edges, derivative);
    return [
      html("h3", {}, html("bdi", {}, this.page.telling.sourceName(arrow)), " → ", html("bdi", {}, to)),
      this.page.seesValue(arrow) ? this.value(numbers.over(arrow), "page.value", "fore") : null,
      back && derivative ? this.value(derivative, "page.derivative", "back") : null,
      !back ? html("p", { class: "aside" }, say(this.page.quiz.hides(arrow) ? "page.quiz.hidden" : "page.not.yet")) : null,
      back && local !== null ? this.row("page.local", told(local), "") : null,
      math && !this.page.quiz.hides(arrow) ? html("p", { class: "math" }, math) : null,
      ...(math && edges.length === 1 && arrow.end.group === undefined ? explainer.notes(edges[0]) : []).map((note) => html("p", { class: "aside" }, note)),
      edges.some((edge) => edge.broadcast) ? html("p", { class: "aside" }, say("page.back.broadcast")) : null,
      ...explainer.disagreements(arrow, this.page.scene).map((text) => html("p", { class: "bad" }, text)),
    ];
  }

  ofGroup(id) {
    const { description, names, say } = this.page;
    const group = description.groups[id];
    return [
      html("h3", {}, html("bdi", {}, names.groupName(id)), html("small", {}, say(`page.kind.${group.kind}`))),
      html("p", {}, say("page.fold.size", { size: group.size })),
      html("p", { class: "aside" }, say(this.page.canOpen(id) ? (this.page.opened.has(id) ? "page.fold.close" : "page.fold.open") : "page.fold.unshipped")),
      group.formula ? html("p", { class: "math" }, `${group.formula.closed} = ${group.formula.opened}`) : null,
      this.where(group.where),
    ];
  }

  row(key, text, kind) {
    return html("p", { class: "row" }, html("span", {}, this.page.say(key)), html("b", { class: kind }, text));
  }

  value(value, key, kind) {
    return [this.row(key, full(value), kind), value.t2 && html("p", { class: "small" }, value.t2),
      html("div", { class: `plots ${kind}` }, heatOf(value, this.page.say), histOf(value, this.page.say))];
  }

  params(node) {
    return node.told?.length ? html("p", { class: "small" }, node.told.map((text) => clean(text)).join(", ")) : null;
  }

  where(where) {
    if (!where) return null;
    return html("div", { class: "where" }, html("code", {}, clean((where.text ?? "").trim())), html("small", {}, this.page.say("page.where", { file: clean(where.file), line: where.line })));
  }
}

// Small pictures of an array: entries as shades, and how often which size comes.
function heatOf(value, say) {
  const { heat } = value;
  if (!heat || heat.rows * heat.cols < 2) return null;
  const size = Math.max(2, Math.min(12, 132 / heat.cols, 96 / heat.rows));
  const label = say("page.heat", { rows: heat.rows, cols: heat.cols });
  return svg("svg", { class: "heat", width: size * heat.cols, height: size * heat.rows, role: "img", "aria-label": label },
    heat.cells.map((cell, i) => svg("rect", { x: (i % heat.cols) * size, y: Math.floor(i / heat.cols) * size, width: size, height: size,
      class: cell === null ? "cell bad" : "cell", "fill-opacity": cell === null ? 1 : 0.06 + 0.94 * cell })));
}

function histOf(value, say) {
  const { hist } = value;
  if (!hist || hist.counts.length < 2) return null;
  const most = Math.max(...hist.counts);
  const w = 128 / hist.counts.length;
  return html("div", { class: "hist" }, svg("svg", { width: 128, height: 44, role: "img", "aria-label": say("page.hist", { low: short(hist.low), high: short(hist.high) }) },
    hist.counts.map((n, i) => svg("rect", { x: i * w, y: 44 - (44 * n) / most, width: w - 1, height: (44 * n) / most, class: "bar" }))),
    html("small", {}, html("span", {}, short(hist.low)), html("span", {}, short(hist.high))));
}
