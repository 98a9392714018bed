// The picture's place: the drawing, what its lines mean, and the buttons to look closer.

import { button, html, replace, svg } from "./dom.js";
import { powerText } from "./sizes.js";

export class Stage {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.world = svg("g");
    this.svg = svg("svg", { class: "picture", role: "none", width: "100%", height: "100%" }, this.world);
    this.legend = html("div", { class: "legend" });
    const tools = html("div", { class: "tools", role: "group", "aria-label": say("page.zoom") },
      button(say("page.zoom.in"), "M12 5v14M5 12h14", () => page.viewport.zoom(1.25)),
      button(say("page.zoom.out"), "M5 12h14", () => page.viewport.zoom(0.8)),
      button(say("page.zoom.fit"), "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5", () => page.viewport.fit()));
    this.skip = html("a", { class: "skip", href: "#", click: (event) => { event.preventDefault(); page.panel.focus(); } }, say("page.skip"));
    this.element = html("section", { class: "stage", role: "group", tabindex: "0", "aria-label": say("page.stage", { title: page.title }) },
      this.svg, this.legend, tools);
  }

  update() {
    const { page } = this;
    const backs = page.description.edges.some((edge) => edge.derivative);
    const parts = [sample("fore", page.say("page.legend.value")), backs && sample("back", page.say("page.legend.derivative"))];
    if (page.scale) {
      const marks = page.scale.marks().map((power) => [powerText(power), page.scale.at(power)]);
      parts.push(html("span", { class: "scale" }, page.say("page.legend.size"), ...marks.map(([text, thick]) => sized(text, thick)),
        page.scale.zeros && sized("0", 0)));
    }
    replace(this.legend, parts);
  }

  // With the keyboard: from a thing to its arrows, in turn.
  walk(element, by) {
    const { drawing } = this.page;
    const { thing } = element;
    if (!thing) return false;
    const base = thing.arrow ? this.base : thing;
    const near = drawing.arrows.filter(({ arrow }) => [arrow.start, arrow.end].some((end) => (base?.node !== undefined ? end.node === base.node : end.group !== undefined && end.group === base?.group)));
    if (!near.length) return false;
    this.base = base;
    const i = near.findIndex((drawn) => drawn.element === element);
    const j = i < 0 ? (by > 0 ? 0 : near.length - 1) : i + by;
    const target = j < 0 || j >= near.length ? drawing.boxOf(base)?.handle : near[j].element;
    target?.focus({ preventScroll: true });
    return true;
  }
}

function sample(way, text) {
  const line = way === "fore" ? "M1 6h24" : "M1 6h28";
  const tip = way === "fore" ? "M29 6l-7 -3.6v7.2z" : "M8 2.2L1 6l7 3.8";
  return html("span", { class: `sample ${way}` }, svg("svg", { width: 30, height: 12, "aria-hidden": "true" },
    svg("path", { class: "line", d: line }), svg("path", { class: "tip", d: tip })), text);
}

function sized(text, thick) {
  return html("span", { class: "sample back" }, svg("svg", { width: 26, height: 12, "aria-hidden": "true" },
    svg("path", { class: thick ? "line" : "line zero", d: "M0 6h26", "stroke-width": thick || 1 })), text);
}
