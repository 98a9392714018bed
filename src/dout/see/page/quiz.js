// Predict, then reveal: derivatives are hidden, and each is shown when it has been guessed or given up.

import { html, replace } from "./dom.js";
import { numberOf } from "./numbers.js";
import { as, shownAs, textOf } from "./pieces.js";

const TOLERANCE = 1e-3; // relative

export class Quiz {
  constructor(page) {
    this.page = page;
    this.on = false;
    this.open = new Set(); // edges whose derivatives are shown
    this.asked = null; // an edge
    this.right = 0;
    this.state = ""; // "", "right", "wrong" or "given"
  }

  start() {
    this.on = true;
    this.open.clear();
    this.right = 0;
    this.page.steps.rest();
    this.ask(this.edges()[0] ?? null);
  }

  stop() {
    this.on = false;
    this.asked = null;
    this.page.refresh();
  }

  // What is asked for, in the order of the way back: one edge for each arrow whose derivative is a number.
  edges() {
    const arrows = this.page.steps.list.filter((step) => step.way === "backward");
    return arrows.filter((step) => numberOf(this.page.numbers.under(step.arrow)) !== null).map((step) => step.edge);
  }

  hides(arrow) {
    if (!this.on || !arrow.edges.length || numberOf(this.page.numbers.under(arrow)) === null) return false;
    return !arrow.edges.some((e) => this.open.has(e));
  }

  hidesEdge(edge) {
    return this.on && !this.open.has(edge);
  }

  asks(arrow) {
    return this.on && this.asked !== null && arrow.edges.includes(this.asked);
  }

  ask(edge, focus = true) {
    this.asked = edge;
    this.state = edge !== null && this.open.has(edge) ? "given" : "";
    this.page.refresh();
    const drawn = edge === null ? null : this.page.drawing.arrowOf({ edge });
    if (drawn) this.page.viewport.show(labelBox(drawn.arrow));
    this.page.stage.element.scrollIntoView({ block: "nearest" });
    if (focus) this.field?.focus({ preventScroll: true });
  }

  move(by) {
    const edges = this.edges();
    if (!edges.length) return;
    const i = edges.indexOf(this.asked);
    this.ask(edges[(i + by + edges.length) % edges.length]);
  }

  next() {
    const left = this.edges().filter((edge) => !this.open.has(edge));
    this.ask(left[0] ?? null);
  }

  check(text) {
    this.typed = text;
    const guess = Number(text.trim().replace("−", "-").replace(",", "."));
    if (text.trim() === "" || Number.isNaN(guess)) return this.settle("unread");
    const arrow = this.page.drawing.arrowOf({ edge: this.asked }).arrow;
    const truth = numberOf(this.page.numbers.under(arrow));
    const near = guess === truth || Math.abs(guess - truth) <= TOLERANCE * Math.abs(truth) || (truth === 0 && Math.abs(guess) < 1e-9);
    if (!near) return this.settle("wrong");
    this.right += 1;
    this.reveal("right");
  }

  reveal(state = "given") {
    for (const e of this.page.drawing.arrowOf({ edge: this.asked }).arrow.edges) this.open.add(e);
    this.settle(state);
  }

  settle(state) {
    this.state = state;
    this.page.refresh();
    const target = state === "wrong" || state === "unread" ? this.field : this.onward;
    target?.focus({ preventScroll: true });
    if (target === this.field) this.field?.select();
  }

  // In the place of the explanation.
  show(story) {
    const { say, drawing } = this.page;
    const drawn = this.asked === null ? null : drawing.arrowOf({ edge: this.asked });
    this.field = this.onward = null;
    story.transport.hidden = true;
    story.element.dataset.way = "backward";
    const edges = this.edges();
    const done = edges.filter((edge) => this.open.has(edge)).length;
    replace(story.kicker, say("page.quiz.count", { done, n: edges.length, right: this.right }));
    const leave = html("button", { type: "button", class: "link", click: () => this.stop() }, say("page.quiz.leave"));
    if (!drawn) {
      replace(story.line, say(edges.length ? "page.quiz.done" : "page.quiz.none", { right: this.right, n: edges.length }));
      this.onward = html("button", { type: "button", class: "main", click: () => this.start() }, say("page.quiz.again"));
      replace(story.more, html("p", { class: "quiz" }, edges.length ? this.onward : null, leave));
      return story.announce(story.line.textContent);
    }
    if (this.open.has(this.asked)) this.showAnswer(story, drawn.arrow, leave);
    else this.showQuestion(story, drawn.arrow, leave);
  }

  showQuestion(story, arrow, leave) {
    const { say, explainer } = this.page;
    const from = as(explainer.names.of(arrow.source), "name");
    const to = as(explainer.toward(arrow), "name");
    const question = say.pieces("page.quiz.question", { from, to });
    replace(story.line, html("span", { class: "question" }, shownAs(question)));
    this.field = html("input", { type: "text", inputmode: "decimal", autocomplete: "off", class: "guess", "aria-label": story.line.textContent, "aria-invalid": this.state === "wrong" || this.state === "unread", value: this.state ? this.typed : "" });
    const form = html("form", { class: "quiz", submit: (event) => { event.preventDefault(); this.check(this.field.value); } },
      this.field, html("button", { class: "main" }, say("page.quiz.check")),
      html("button", { type: "button", click: () => this.reveal() }, say("page.quiz.reveal")), leave);
    const hint = this.state === "unread" ? say("page.quiz.unread") : this.state === "wrong" ? shownAs(this.hint(arrow)) : say("page.quiz.hint");
    replace(story.more, form, html("p", { class: this.state ? "aside bad" : "aside" }, hint));
    story.announce(this.state ? story.more.lastChild.textContent : story.line.textContent);
  }

  hint(arrow) {
    const { say, explainer, numbers } = this.page;
    const { up, local } = explainer.factors(arrow, arrow.edges.map((e) => this.page.description.edges[e]), numbers.under(arrow));
    if (!up || local === null) return say.pieces("page.quiz.wrong");
    return say.pieces("page.quiz.wrong.upstream", { up: as(up.t, "back"), from: as(explainer.names.of(arrow.source), "name") });
  }

  showAnswer(story, arrow, leave) {
    const { say, explainer, scene } = this.page;
    const told = explainer.backward(arrow, scene, (other) => !this.hides(other));
    const verdict = this.state === "right" ? say("page.quiz.right") : say("page.quiz.given");
    const said = [verdict, told.product?.map(textOf).join(" ") ?? textOf(told.line), textOf(told.aside)];
    story.tell({ ...told, kicker: story.kicker.textContent, way: "backward", said });
    this.onward = html("button", { type: "button", class: "main", click: () => this.next() }, say("page.quiz.next"));
    story.more.prepend(html("p", { class: "quiz" }, html("span", { class: this.state === "right" ? "right" : "" }, verdict), this.onward, leave));
  }
}

export function labelBox(arrow) {
  const [x, y] = arrow.label;
  return { x: x - arrow.lw / 2, y: y - 24, w: arrow.lw + 20, h: 48 };
}
