// The picture itself, from a scene: boxes, frames and arrows as SVG. What they say and how they stand out is marked later.

import { clean, svg } from "./dom.js";
import { backwardHead, fanPath, forwardHead, GAP, line, signPath, unequalPaths, warningPaths } from "./shapes.js";

const CHARACTER = 7.23; // width of a character of the monospaced font, at 12 px
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;

export class Drawing {
  constructor(page, scene, world) {
    this.page = page;
    this.boxes = [];
    this.arrows = [];
    const frames = svg("g", { class: "frames" }, scene.frames.map((box) => this.frame(box)));
    const arrows = svg("g", { class: "arrows" }, scene.arrows.map((arrow) => this.arrow(arrow)));
    const boxes = svg("g", { class: "boxes" }, inOrder(scene.boxes).map((box) => this.box(box)));
    const heads = svg("g", { class: "heads" }, this.boxes.filter((drawn) => drawn.frame).map((drawn) => drawn.handle));
    world.replaceChildren(frames, arrows, heads, boxes);
  }

  // An open fold: a frame with its name, which closes it.
  frame(box) {
    const { description, names, say } = this.page;
    const group = description.groups[box.group];
    const text = fit(`▾ ${names.groupName(box.group)}`, box.w - 24);
    const remark = remarkOf(group, say, box.w - 40 - widthOf(text));
    const handle = svg("g", { class: "head", role: "button", tabindex: "0", "aria-expanded": "true" },
      svg("rect", { x: box.x + 1, y: box.y + 1, width: box.w - 2, height: 22, rx: 9, class: "hit" }),
      svg("text", { x: box.x + 12, y: box.y + 16.5, class: "header" }, text),
      remark && svg("text", { x: box.x + box.w - 12, y: box.y + 16, class: `remark${group.agree ? "" : " bad"}` }, remark));
    this.heed(handle, { group: box.group });
    const element = svg("rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 10, class: `frame depth${this.page.depth(box.group) % 2}` });
    this.boxes.push({ box, element, handle, frame: true });
    return element;
  }

  box(box) {
    if (box.output !== undefined) return this.end(box);
    const element = svg("g", { class: "box", role: "button", tabindex: box.ghost ? "-1" : "0" });
    element.classList.toggle("ghost", Boolean(box.ghost));
    const drawn = { box, element, handle: element, frame: false };
    const middle = [box.x + box.w / 2, box.y + box.h / 2];
    if (box.group !== undefined) this.fold(element, box, middle);
    else this.node(element, box, middle, this.page.description.nodes[box.node]);
    drawn.sum = svg("text", { x: middle[0] + (box.belowx ?? 0), y: box.y + box.h + (box.below ?? 0), class: "sum" });
    element.append(drawn.sum);
    this.heed(element, box.group === undefined ? { node: box.node } : { group: box.group });
    this.boxes.push(drawn);
    return element;
  }

  // Where an output's arrow ends: which of several it is.
  end(box) {
    return svg("text", { x: box.x + 8, y: box.y + 4, class: "end" }, endText(this.page.description.outputs[box.output]));
  }

  // A closed fold; one that isn't a layer has the edge of another box behind it.
  fold(element, { group: id, x, y, w, h }, [cx, cy]) {
    const group = this.page.description.groups[id];
    element.classList.add("fold");
    element.setAttribute("aria-expanded", "false");
    const inner = group.kind === "layer" ? w : w - 5;
    if (group.kind !== "layer") element.append(svg("rect", { x: x + 5, y: y - 5, width: inner, height: h, rx: 9, class: "behind" }));
    element.append(svg("rect", { x, y, width: inner, height: h, rx: 9, class: "shape" }));
    const count = group.count ? `×${group.count}` : "";
    const badge = count ? widthOf(count) * 0.875 + 18 : 0;
    const name = fit(group.name, inner - 16 - badge);
    const left = cx - (w - inner) / 2 - (widthOf(name) + badge) / 2;
    element.append(svg("text", { x: left, y: cy + 4, class: "label start" }, name));
    if (count) {
      const at = left + widthOf(name) + 8;
      element.append(svg("rect", { x: at, y: cy - 8, width: badge - 8, height: 16, rx: 8, class: "badge" }));
      element.append(svg("text", { x: at + badge / 2 - 4, y: cy + 3.8, class: "badge-text" }, count));
    }
    this.mark(element, this.page.problems.ofGroup(id), x + inner - 6, y + 3);
  }

  node(element, box, [cx, cy], node) {
    const { x, y, w, h } = box;
    element.classList.add(node.kind);
    if (node.kind === "input" || node.kind === "constant") {
      const text = node.name ?? node.value.t;
      element.append(svg("rect", { x: x - 2, y, width: w + 4, height: h + 2, rx: 5, class: "hit" }));
      element.append(svg("text", { x: cx, y: cy + 4, class: "label" }, fit(text, w)));
      element.append(svg("path", { d: `M${x + 2} ${cy + 9.5}h${w - 4}`, class: "underline" }));
      this.mark(element, this.page.problems.ofNode(node.id), x - 7, cy);
      return;
    }
    const round = node.kind === "layer" ? 9 : Math.min(w, h) / 2;
    element.append(svg("rect", { x, y, width: w, height: h, rx: round, class: "shape" }));
    const sign = clean(node.sign);
    const path = node.kind === "layer" ? null : signPath(sign, cx, cy);
    const size = node.kind === "layer" ? 12 : { 1: 17, 2: 15, 3: 13.5 }[widthOf(sign) / CHARACTER] ?? 12;
    element.append(path ? svg("path", { d: path, class: "sign" }) : svg("text", { x: cx, y: cy + size * 0.345, "font-size": size, class: "label" }, fit(sign, w - 8)));
    if (box.above !== undefined && node.name) element.append(svg("text", { x: cx + (box.abovex ?? 0), y: y + box.above, class: "name" }, fit(node.name, 22 * CHARACTER)));
    this.mark(element, this.page.problems.ofNode(node.id), x + w - 4, y + 3);
  }

  // A triangle with an exclamation mark, or a disc with ≠ where two numbers should be the same.
  mark(element, kind, x, y) {
    if (!kind) return;
    element.classList.add("problem");
    const [shape, mark] = (kind === "alarm" ? warningPaths : unequalPaths)(x, y);
    element.append(svg("g", { class: `warning ${kind}` }, svg("path", { d: shape, class: "ground" }), svg("path", { d: mark, class: "mark" })));
  }

  // Forward above and backward below, with their values on the level piece before the target.
  arrow(arrow) {
    const { points, label: [x, y], edges } = arrow;
    const level = arrow.derivative ? -GAP : 0;
    const drawn = { arrow, value: svg("text", { x, class: "value" }), derivative: svg("text", { x, class: "derivative" }) };
    drawn.fore = svg("g", { class: "fore" }, svg("path", { d: line(points, level, 5), class: "line" }),
      svg("path", { d: forwardHead(points, level), class: "tip" }), drawn.value);
    if (arrow.derivative) {
      drawn.backLine = svg("path", { class: "line" });
      drawn.backTip = svg("path", { class: "tip" });
      drawn.back = svg("g", { class: "back" }, drawn.backLine, drawn.backTip, drawn.derivative);
    }
    const fans = edges.some((e) => this.page.description.edges[e].broadcast);
    drawn.element = svg("g", { class: "arrow", role: "button", tabindex: "-1" },
      svg("path", { d: line(points, 0), class: "band" }),
      !arrow.bare && svg("rect", { x: x - arrow.lw / 2, y: y - 20, width: arrow.lw, height: 40, rx: 8, class: "hit" }),
      drawn.fore, drawn.back, fans && fan(x - arrow.lw / 2 - 2, y));
    thicken(drawn, 1.5);
    this.heed(drawn.element, { arrow });
    this.arrows.push(drawn);
    return drawn.element;
  }

  heed(element, thing) {
    const { page } = this;
    element.addEventListener("click", () => page.press(thing, element));
    element.addEventListener("pointerenter", (event) => page.card.entered(event, thing, element));
    element.addEventListener("pointerleave", () => page.card.later());
    element.addEventListener("focus", () => page.focused(thing, element));
    element.addEventListener("blur", () => page.card.later());
    element.thing = thing;
  }

  // What is drawn for a node or a fold, copies left out.
  boxOf({ node, group }) {
    return this.boxes.find(({ box }) => !box.ghost && (node !== undefined ? box.node === node : group !== undefined && box.group === group));
  }

  arrowOf({ edge, arrow }) {
    const key = (arrow ?? this.page.scene.arrowOf.get(edge))?.key;
    return this.arrows.find((drawn) => drawn.arrow.key === key);
  }
}

// The backward line as thick as this; 0 is drawn dotted.
export function thicken(drawn, thick) {
  if (!drawn.back || drawn.thick === thick) return;
  drawn.thick = thick;
  drawn.low = Math.max(thick - 1.5, 0);
  const shift = GAP + drawn.low / 2;
  drawn.backLine.setAttribute("d", line(drawn.arrow.points, shift));
  drawn.backLine.setAttribute("stroke-width", thick || 1);
  drawn.backLine.classList.toggle("zero", thick === 0);
  drawn.backTip.setAttribute("d", backwardHead(drawn.arrow.points, shift, drawn.low / 2));
}

const endText = ({ node, path, value }) => fit(node === null ? `${path} ${value.t}`.trim() : path, 22 * CHARACTER);

function fan(x, y) {
  return svg("g", { class: "fan" }, svg("rect", { x: x - 6.5, y: y - 10.5, width: 13, height: 21, rx: 5 }),
    svg("path", { d: fanPath(x, y) }), svg("text", { x, y: y + 8 }, "Σ"));
}

// What a layer's header says of its two ways of going back, as long as there is room.
function remarkOf(group, say, room) {
  if (group.agree === null || group.agree === undefined) return "";
  const same = group.agree ? `✓ ${say("page.same.short")}` : `≠ ${say("page.differs.short")}`;
  const both = group.formula && group.agree ? [`${group.formula.opened} = ${group.formula.closed}  ${same}`] : [];
  return [...both, same, same[0]].find((text) => widthOf(text) <= room) ?? "";
}

// Those who go through with the keyboard meet things column by column, from left to right.
function inOrder(boxes) {
  const rights = new Map();
  const column = (box) => `${box.level}/${box.column}`;
  for (const box of boxes) rights.set(column(box), Math.max(rights.get(column(box)) ?? 0, box.x + box.w));
  return [...boxes].sort((a, b) => rights.get(column(a)) - rights.get(column(b)) || a.y - b.y);
}

const cells = (c) => (/\p{M}|\p{Cf}/u.test(c) ? 0 : WIDE.test(c) ? 2 : 1);

export function widthOf(text) {
  return [...text].reduce((sum, c) => sum + cells(c), 0) * CHARACTER;
}

export function fit(text, room) {
  const kept = [...clean(text)];
  if (widthOf(kept.join("")) <= room + 1) return kept.join("");
  while (kept.length > 1 && widthOf(kept.join("")) + CHARACTER > room) kept.pop();
  return `${kept.join("").trimEnd()}…`;
}
