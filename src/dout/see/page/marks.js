// What things say and how they stand out at a moment: values and derivatives that are reached, the current step, paths, finds.

import { svg } from "./dom.js";
import { thicken } from "./drawing.js";
import { Sizes } from "./sizes.js";

const LINE = 14;
const MOST = 4; // terms of a sum that are written out in the picture

export function mark(page) {
  const { drawing, numbers } = page;
  page.scale = page.sizes ? new Sizes(drawing.arrows.map(({ arrow }) => numbers.under(arrow))) : null;
  const here = page.steps.current ?? page.chosen;
  for (const drawn of drawing.arrows) markArrow(page, drawn, here);
  for (const drawn of drawing.boxes) markBox(page, drawn, here);
}

function markArrow(page, drawn, here) {
  const { arrow, element } = drawn;
  const value = page.numbers.over(arrow);
  const derivative = page.numbers.under(arrow);
  const [seen, back] = [page.seesValue(arrow), page.seesDerivative(arrow)];
  const [x, y] = arrow.label;
  const guess = page.quiz.hides(arrow) && Boolean(arrow.derivative);
  const names = element.classList;
  names.toggle("unreached", !seen);
  names.toggle("unreturned", !back && !guess);
  names.toggle("guess", guess);
  names.toggle("asked", page.quiz.asks(arrow));
  names.toggle("now-fore", Boolean(here) && here.way === "forward" && isSource(page, arrow, here));
  names.toggle("now-back", Boolean(here) && here.way === "backward" && arrow.edges.includes(here.edge));
  const off = page.way !== null && !(arrow.edges.length ? arrow.edges.some((e) => page.way.edges.has(e)) : page.way.nodes.has(arrow.source));
  names.toggle("on-way", page.way !== null && !off);
  names.toggle("off-way", off);
  const edges = arrow.edges.map((e) => page.description.edges[e]);
  const wrong = page.explainer.disagreements(arrow, page.scene).length > 0 && !page.numbers.result;
  names.toggle("bad-value", isBad(value));
  names.toggle("bad-derivative", isBad(derivative) || wrong || arrow.edges.some((e) => page.problems.edges.has(e)));
  thicken(drawn, page.scale && derivative && back ? page.scale.thickness(derivative) : 1.5);
  if (!arrow.bare) {
    const above = linesOf(value);
    write(drawn.value, x, y - 7 - LINE * (above.length - 1), seen ? above : []);
    const below = guess ? ["?"] : back ? linesOf(derivative) : [];
    const formula = page.description.written && back && edges.length === 1 ? page.explainer.formula(edges[0]) : null;
    if (formula && below.length) below.push(formula.text);
    if (wrong && below.length && !guess) below[0] = `≠ ${below[0]}`;
    write(drawn.derivative, x, y + 15 + (drawn.low ?? 0), below);
  }
  name(drawn, element, page.telling.arrowLabel(arrow, seen, back));
}

function name(drawn, element, label) {
  if (drawn.label === label) return;
  drawn.label = label;
  element.setAttribute("aria-label", label);
}

// Whether an arrow carries what this step made.
function isSource(page, arrow, here) {
  return here.group === undefined ? arrow.source === here.node : arrow.start.group === here.group;
}

function markBox(page, drawn, here) {
  const { box, handle, element, frame } = drawn;
  const current = Boolean(here) && here.way === "forward" && (box.node !== undefined ? here.node === box.node : here.group === box.group);
  const reached = box.node !== undefined ? page.steps.reachedNode(box.node) : page.steps.reachedGroup(box.group);
  for (const part of new Set([handle, element])) {
    part.classList.toggle("now", current);
    part.classList.toggle("unreached", !reached && !frame);
    part.classList.toggle("found", page.search.isFound(box));
    const on = page.way !== null && (box.node !== undefined ? page.way.nodes.has(box.node) : page.way.groups.has(box.group));
    part.classList.toggle("on-way", on);
    part.classList.toggle("off-way", page.way !== null && !on);
  }
  if (box.node !== undefined) element.classList.toggle("unknown", Boolean(page.numbers.value(box.node)?.unknown) && Boolean(page.numbers.result));
  name(drawn, handle, page.telling.boxLabel(box));
  const summed = box.node ?? box.sum;
  if (drawn.sum && box.below !== undefined && !box.ghost && summed !== undefined && summed !== null) {
    const text = page.seesTotal(summed) ? sumOf(page, summed) : "";
    if (drawn.sum.textContent !== text) drawn.sum.textContent = text;
  }
}

// Where derivatives meet: what they are, as far as arrows can be seen, and what they come to.
function sumOf(page, id) {
  const { terms, total } = page.explainer.contributions(id, page.scene);
  if (terms.length < 2 || !total) return "";
  if (terms.length <= MOST && !total.shape && !terms.some(({ value }) => value.many)) {
    const written = terms.map(({ t }, i) => (i === 0 ? t : t.startsWith("−") ? ` − ${t.slice(1)}` : ` + ${t}`)).join("") + ` = ${total.t}`;
    if (written.length <= 34) return written;
  }
  return `Σ${terms.length} = ${total.t}`;
}

function linesOf(value) {
  return value ? [value.t, value.range ?? value.t2].filter(Boolean) : [];
}

export function isBad(value) {
  return Boolean(value) && (["NaN", "Infinity", "-Infinity"].includes(value.v) || Boolean(value.bad));
}

function write(element, x, y, lines) {
  const text = `${y} ${lines.join("\n")}`;
  if (element.written === text) return;
  element.written = text;
  element.setAttribute("y", y);
  element.replaceChildren(...lines.map((part, i) => svg("tspan", { x, dy: i ? LINE : null, class: i ? "second" : null }, part)));
}
