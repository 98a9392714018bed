// Beside the picture: the inputs, guessing, finding, and what there is to know besides.

import { html, replace } from "./dom.js";
import { Inputs } from "./inputs.js";
import { textOfProblem } from "./problems.js";
import { Search } from "./search.js";

export class Panel {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.inputs = new Inputs(page);
    this.search = page.search = new Search(page);
    this.warnings = html("div", { class: "warnings", role: "status" });
    this.guess = html("button", { type: "button", class: "wide", "aria-pressed": "false", click: () => (page.quiz.on ? page.quiz.stop() : page.quiz.start()) }, say("page.quiz.start"));
    this.guessing = html("section", { class: "block", "aria-label": say("page.quiz") }, this.guess);
    this.from = html("select", { change: () => page.setWay(this.from.value === "" ? null : Number(this.from.value)) });
    this.ways = html("p", { class: "small", role: "status" });
    this.sizes = html("input", { type: "checkbox", change: () => page.setSizes(this.sizes.checked) });
    this.folds = html("div", { class: "pair" },
      html("button", { type: "button", click: () => page.openAll(true) }, say("page.fold.all")),
      html("button", { type: "button", click: () => page.openAll(false) }, say("page.fold.none")));
    this.look = html("details", { class: "block" }, html("summary", {}, html("h2", {}, say("page.look"))), this.search.element,
      html("label", { class: "field" }, say("page.paths"), this.from), this.ways,
      html("label", { class: "check" }, this.sizes, say("page.sizes")), this.folds);
    this.facts = html("section", { class: "block facts", "aria-label": say("page.facts") });
    this.keys = html("details", { class: "block keys" }, html("summary", {}, html("h2", {}, say("page.keys"))), keysOf(say));
    this.element = html("aside", { class: "panel", "aria-label": say("page.panel"), tabindex: "-1" },
      this.inputs.element, this.warnings, this.guessing, this.look, this.facts, this.keys);
  }

  build() {
    const { page } = this;
    const { description, names, say } = page;
    this.inputs.build();
    const inputs = description.nodes.filter((node) => node.kind === "input" && names.outs[node.id].length);
    replace(this.from, html("option", { value: "" }, say("page.paths.none")), inputs.map((node) => html("option", { value: node.id }, names.of(node.id))));
    this.folds.hidden = !description.groups.some((group) => this.page.canOpen(group.id));
    this.look.open ||= description.nodes.length > 24;
    this.facts.replaceChildren();
    const problems = this.page.problems.list;
    if (problems.length) {
      this.facts.append(html("h2", {}, say("page.problems")), html("ul", {}, problems.map((problem) => html("li", {},
        html("button", { type: "button", class: "link bad", click: () => this.page.goTo(problem.edge === null || problem.edge === undefined ? { node: problem.node } : { edge: problem.edge }) }, signed(problem.kind === "numerical" ? "≠" : "⚠", textOfProblem(problem, say)))))));
    }
    const wrong = description.edges.filter((edge) => edge.wrong);
    if (wrong.length) {
      this.facts.append(html("h2", {}, say("page.wrong.title")), html("ul", {}, wrong.slice(0, 20).map((edge) => html("li", {},
        html("button", { type: "button", class: "link bad", click: () => this.page.goTo({ edge: edge.id }) }, signed("≠", `${names.of(edge.from)} → ${names.of(edge.to)}`))))));
    }
    const notes = page.telling.notes();
    if (notes.length) this.facts.append(html("h2", {}, say("page.notes")), ...notes.map((note) => html("p", { class: "small" }, note)));
    this.facts.hidden = !this.facts.firstChild;
  }

  update(typed = null) {
    const { page } = this;
    this.inputs.update(typed);
    this.guess.setAttribute("aria-pressed", page.quiz.on);
    this.guess.textContent = page.say(page.quiz.on ? "page.quiz.leave" : "page.quiz.start");
    this.guessing.hidden = !page.quiz.on && !page.steps.list.some((step) => step.way === "backward");
    this.sizes.checked = page.sizes;
    this.from.value = page.way?.input ?? "";
    this.ways.textContent = page.way ? page.say(page.way.count === 1n ? "page.paths.one" : "page.paths.count", { name: page.names.of(page.way.input), n: countText(page.way.count) }) : "";
    const warnings = page.telling.warnings();
    const text = warnings.join("\n");
    if (this.warned !== text) {
      this.warned = text;
      replace(this.warnings, warnings.map((one) => html("p", { class: "warning-text" }, one)));
    }
  }

  find() {
    this.look.open = true;
    this.search.field.focus();
  }

  focus() {
    this.element.focus();
  }
}

const signed = (sign, text) => [html("span", { class: "sign-before" }, sign), ` ${text}`];

function countText(n) {
  return n < 1_000_000n ? String(n) : `≈ ${Number(n).toExponential(1).replace("e+", "e")}`;
}

function keysOf(say) {
  const rows = [["→ ←", "page.keys.steps"], ["Home End", "page.keys.ends"], [say("page.keys.space"), "page.keys.play"], ["+ − 0", "page.keys.zoom"],
    ["Tab ↑ ↓", "page.keys.things"], ["Enter", "page.keys.enter"], ["/", "page.keys.find"], ["Esc", "page.keys.escape"]];
  return html("dl", {}, rows.map(([keys, key]) => html("div", {}, html("dt", {}, keys.split(" ").map((one) => html("kbd", {}, one))), html("dd", {}, say(key)))));
}
