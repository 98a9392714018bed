// The page: what is open, lit and guessed at, and everything that is shown of it.

import { Card } from "./card.js";
import { clean, html } from "./dom.js";
import { Drawing } from "./drawing.js";
import { Explainer } from "./explain.js";
import { listenTo } from "./keyboard.js";
import { LANGUAGES, languageOf, speaker } from "./language.js";
import { mark } from "./marks.js";
import { Names } from "./names.js";
import { Numbers } from "./numbers.js";
import { Panel } from "./panel.js";
import { pathsFrom } from "./paths.js";
import { Problems } from "./problems.js";
import { labelBox, Quiz } from "./quiz.js";
import { canOpen, sceneOf, startsOpen, within } from "./scene.js";
import { Stage } from "./stage.js";
import { Steps } from "./steps.js";
import { Story } from "./story.js";
import { Telling } from "./telling.js";
import { themed } from "./theme.js";
import { Viewport } from "./viewport.js";
import STYLE from "./style.css" with { type: "css" };

export class Page {
  constructor(model, el) {
    this.model = model;
    this.alone = Boolean(model.get("alone")); // a document of its own, which it fills
    this.live = (model.get("inputs") ?? null) !== null; // Python is there to compute
    this.firstInputs = { ...model.get("inputs") };
    this.host = html("div", { class: this.alone ? "dout alone" : "dout" });
    el.append(this.host);
    this.root = this.host.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [STYLE];
    this.steps = new Steps(() => this.stepped());
    this.quiz = new Quiz(this);
    this.telling = new Telling(this);
    this.way = this.chosen = this.message = null;
    this.started = false;
    this.take(model.get("description"));
    this.sizes = Boolean(this.description.sizes);
    this.build(languageOf(model.get("lang") ?? this.description.lang));
    this.started = true;
    if (this.description.paths) this.setWay(this.description.nodes.find((node) => node.kind === "input" && node.name === this.description.paths)?.id ?? null);
    this.changed = () => this.arrived();
    this.erred = () => this.panel.update();
    model.on("change:description", this.changed);
    model.on("change:error", this.erred);
    this.unlisten = listenTo(this);
    this.untheme = this.alone ? () => {} : themed(this.host);
  }

  // A description: another one of the same shape keeps what is open and where the reader is.
  take(description) {
    const shape = (d) => JSON.stringify([d?.title, d?.nodes.map((n) => n.op), d?.groups.length]);
    this.same = this.description !== undefined && shape(this.description) === shape(description);
    const overrides = this.same ? this.numbers.overrides : new Map();
    this.description = description;
    this.title = clean(description.title);
    this.numbers = new Numbers(description);
    this.names = new Names(description);
    for (const [id, x] of overrides) if (typeof x !== "number" || x !== Number(description.nodes[id].value.v)) this.numbers.overrides.set(id, x);
    this.numbers.renew();
    this.problems = new Problems(description);
    if (!this.same) {
      this.opened = startsOpen(description);
      this.way = this.chosen = null;
      this.steps.at = null;
    }
  }

  build(lang) {
    this.say = speaker(lang);
    this.viewport?.close();
    this.explainer = new Explainer(this);
    this.stage = new Stage(this);
    this.card = new Card(this, this.stage.element);
    this.stage.element.append(this.card.element);
    this.panel = new Panel(this);
    this.story = new Story(this);
    const other = Object.keys(LANGUAGES).find((one) => one !== lang);
    this.switch = html("button", { type: "button", class: "link", lang: other, click: () => this.speak(other) }, LANGUAGES[other]);
    this.heading = html("bdi", {}, this.title);
    const header = html("header", {}, this.stage.skip, html(this.alone ? "h1" : "h2", { class: "title" }, this.heading), this.switch);
    this.root.replaceChildren(html("div", { class: "dout-page", lang }, header,
      html(this.alone ? "main" : "div", { class: "middle" }, this.stage.element, this.story.element), this.panel.element));
    if (this.alone) document.documentElement.lang = lang;
    this.viewport = new Viewport(this.stage.element, this.stage.world, { moved: () => this.card.hide() });
    this.panel.build();
    this.redraw();
    this.viewport.open();
  }

  speak(lang) {
    this.build(lang);
    this.switch.focus();
  }

  // Python has answered. What is being typed in stays as it is.
  arrived() {
    this.take(this.model.get("description"));
    this.explainer = new Explainer(this);
    this.heading.textContent = this.title;
    this.panel.build();
    this.redraw();
    const { activeElement } = this.root;
    this.panel.update(activeElement?.localName === "input" ? [activeElement] : null);
    if (!this.same) this.viewport.open();
  }

  // What is open has changed, or everything has.
  redraw() {
    const { activeElement } = this.root;
    const thing = activeElement?.thing;
    this.scene = sceneOf(this.description, this.opened);
    this.drawing = new Drawing(this, this.scene, this.stage.world);
    this.viewport.size = { width: this.scene.width, height: this.scene.height };
    this.steps.renew(this.description, this.scene, this.names);
    this.refresh();
    if (thing) this.elementOf(thing)?.focus({ preventScroll: true });
  }

  refresh(typed = null) {
    if (!this.drawing) return;
    mark(this);
    this.stage.update();
    this.panel.update(typed);
    this.story.update();
  }

  mark() {
    mark(this);
  }

  recomputed(typed) {
    this.message = null;
    this.refresh(typed);
  }

  stepped() {
    this.chosen = this.message = null;
    this.card.hide();
    this.refresh();
    const step = this.steps.current;
    const drawn = step && this.elementAt(step);
    if (drawn) this.viewport.show(drawn.arrow ? labelBox(drawn.arrow) : drawn.box);
  }

  next() {
    if (this.quiz.on) this.quiz.move(1);
    else this.steps.next();
  }

  back() {
    if (this.quiz.on) this.quiz.move(-1);
    else this.steps.back();
  }

  escape() {
    if (!this.card.element.hidden) return this.card.hide();
    if (this.quiz.on) return this.quiz.stop();
    this.chosen = this.message = null;
    this.steps.stop();
    return this.steps.go(null);
  }

  // Whoever clicks on something wants to know about it: folds open and close, the rest is explained.
  press(thing, element) {
    if (thing.group !== undefined) return this.toggle(thing.group);
    if (this.quiz.on && thing.arrow) return this.quiz.hides(thing.arrow) ? this.quiz.ask(thing.arrow.edges[0]) : undefined;
    const fits = (step) => (thing.arrow ? step.arrow?.key === thing.arrow.key : step.node === thing.node);
    const step = this.steps.list.find(fits) ?? this.aside(thing);
    if (!step) return undefined;
    if (this.steps.at !== null && this.steps.list.includes(step)) return this.steps.go(this.steps.list.indexOf(step));
    this.chosen = step;
    this.message = null;
    this.refresh();
    return this.card.show(thing, element);
  }

  // What is explained where there is no step: an arrow into an open fold, an operation of no step.
  aside({ node, arrow }) {
    if (node !== undefined) return { way: "forward", node };
    return arrow.edges.length && arrow.derivative ? { way: "backward", arrow, edge: arrow.edges[0] } : null;
  }

  focused(thing, element) {
    const box = thing.arrow ? labelBox(thing.arrow) : this.drawing.boxOf(thing)?.box;
    if (box && element.matches(":focus-visible")) {
      this.viewport.show({ ...box, w: Math.min(box.w, 200), h: Math.min(box.h, 60) });
      this.card.show(thing, element);
    }
  }

  // Opens or closes a fold; what the reader clicked on stays where it is on the screen.
  toggle(id) {
    if (!this.canOpen(id)) {
      this.message = { line: this.say("page.fold.unshipped") };
      this.chosen = null;
      return this.refresh();
    }
    const opening = !this.opened.has(id);
    const before = this.drawing.boxOf({ group: id })?.box;
    const at = before && { x: before.x * this.viewport.scale + this.viewport.x, y: before.y * this.viewport.scale + this.viewport.y };
    if (opening) this.opened.add(id);
    else this.opened.delete(id);
    this.message = this.telling.ofFold(id, opening);
    this.chosen = null;
    this.card.hide();
    this.redraw();
    const after = this.drawing.boxOf({ group: id });
    if (!this.viewport.touched) this.viewport.open();
    else if (at && after) this.viewport.pan(at.x - after.box.x * this.viewport.scale - this.viewport.x, at.y - after.box.y * this.viewport.scale - this.viewport.y);
    if (after && opening) this.viewport.show(after.box);
    return after?.handle.focus({ preventScroll: true });
  }

  openAll(open) {
    for (const { id } of this.description.groups) {
      if (open && this.canOpen(id)) this.opened.add(id);
      else this.opened.delete(id);
    }
    this.redraw();
    this.viewport.open();
  }

  canOpen(id) {
    return canOpen(this.description, id);
  }

  // Makes a thing visible and puts it in the middle; opens the folds around it.
  // The fold in which a node is shown; of a wrong derivative that a layer hands on, the one around the layer, because the
  // layer's own primitives have other numbers.
  around(node, edge) {
    const { groups, nodes, edges } = this.description;
    const outside = (g) => !within(this.description, nodes[edges[edge].from].group, g);
    const layers = this.problems.wrong.has(edge) ? [...this.names.groupsOf(node)].filter((g) => groups[g].wrong && outside(g)) : [];
    return layers.length ? groups[layers.at(-1)].parent : nodes[node].group;
  }

  goTo({ node, group, edge }) {
    const place = edge !== undefined ? this.description.edges[edge].to : node;
    const around = group !== undefined ? this.description.groups[group].parent : this.around(place, edge);
    let changed = false;
    for (let g = around; g !== null && g !== undefined; g = this.description.groups[g].parent) {
      changed ||= this.canOpen(g) && !this.opened.has(g);
      this.opened.add(g);
    }
    if (changed) this.redraw();
    else this.mark();
    const arrow = this.problems.wrong.has(edge) ? this.scene.meets.get(edge) : this.scene.arrowOf.get(edge);
    const drawn = edge !== undefined ? this.drawing.arrowOf({ arrow }) : this.drawing.boxOf({ node, group });
    if (!drawn) return;
    if (this.viewport.scale < 0.5) this.viewport.zoom(0.8 / this.viewport.scale);
    this.viewport.show(drawn.arrow ? labelBox(drawn.arrow) : { ...drawn.box, w: Math.min(drawn.box.w, 300), h: Math.min(drawn.box.h, 200) }, true);
    if (edge !== undefined) this.press({ arrow: drawn.arrow }, drawn.element);
    else if (node !== undefined) this.chosen = { way: "forward", node };
    this.refresh();
  }

  setWay(input) {
    this.way = input === null ? null : { input, ...pathsFrom(this.description, this.names, input), groups: new Set() };
    for (const node of this.way?.nodes ?? []) for (const group of this.names.groupsOf(node)) this.way.groups.add(group);
    this.refresh();
  }

  setSizes(on) {
    this.sizes = on;
    this.refresh();
  }

  // Numbers that were set here, for Python; it answers with another description.
  send(inputs) {
    if (!this.live) return;
    this.model.set("inputs", { ...this.model.get("inputs"), ...inputs });
    this.model.save_changes();
  }

  isMoved() {
    const now = this.model.get("inputs") ?? {};
    return this.live && Object.keys(this.firstInputs).some((name) => now[name] !== this.firstInputs[name]);
  }

  // What can be seen at this moment: reached by the steps, and not to be guessed.
  seesValue(arrow) {
    if (arrow.start.group !== undefined && !this.opened.has(arrow.start.group)) return this.steps.reachedGroup(arrow.start.group);
    return arrow.source === undefined || this.steps.reachedNode(arrow.source);
  }

  seesDerivative(arrow) {
    if (!arrow.edges.length) return this.steps.turned;
    return !this.quiz.hides(arrow) && arrow.edges.every((e) => this.steps.reachedEdge(e));
  }

  seesTotal(id) {
    const { terms } = this.description.nodes[id];
    const edges = terms.filter((e) => e !== "output");
    return this.steps.turned && edges.every((e) => this.steps.reachedEdge(e) && !this.quiz.hidesEdge(e));
  }

  depth(group) {
    let depth = 0;
    for (let g = this.description.groups[group].parent; g !== null && g !== undefined; g = this.description.groups[g].parent) depth += 1;
    return depth;
  }

  elementAt(step) {
    return step.arrow ? this.drawing.arrowOf({ arrow: step.arrow }) : this.drawing.boxOf(step);
  }

  elementOf(thing) {
    return thing.arrow ? this.drawing.arrowOf(thing)?.element : this.drawing.boxOf(thing)?.handle;
  }

  close() {
    this.model.off?.("change:description", this.changed);
    this.model.off?.("change:error", this.erred);
    this.steps.changed = () => {};
    this.steps.stop();
    this.viewport.close();
    this.unlisten();
    this.untheme();
    this.host.remove();
  }
}

function render({ model, el }) {
  const page = new Page(model, el);
  return () => page.close();
}

export default { render };
