// What things are called: by their own names, else by how they were made.

import { clean } from "./dom.js";

const INFIX = { add: "+", subtract: "−", multiply: "×", divide: "/", power: "**", matmul: "@", remainder: "%" };
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const LONGEST = 30;

export class Names {
  constructor(description) {
    this.description = description;
    this.known = new Map();
    this.ins = description.nodes.map(() => []);
    this.outs = description.nodes.map(() => []);
    for (const edge of description.edges) {
      this.ins[edge.to].push(edge.id);
      this.outs[edge.from].push(edge.id);
    }
    for (const list of this.ins) list.sort((a, b) => description.edges[a].port - description.edges[b].port);
  }

  // The name, or the expression if it is short, or the sign with a number.
  of(id) {
    if (!this.known.has(id)) this.known.set(id, this.found(id));
    return this.known.get(id);
  }

  found(id) {
    const node = this.description.nodes[id];
    if (node.name) return clean(node.name);
    if (node.kind === "constant") return clean(node.value.t);
    const written = [3, 2, 1].map((depth) => this.made(id, depth)).find((text) => text.length <= LONGEST);
    return written ?? this.numbered(id);
  }

  numbered(id) {
    return (this.description.nodes[id].sign || "x") + [...String(id)].map((digit) => SUBSCRIPTS[digit]).join("");
  }

  // The operation applied to its inputs: `apple × number`, `exp(x)`; unnamed inputs are written out, `depth` deep.
  made(id, depth = 1) {
    const { edges, nodes } = this.description;
    return this.applied(id, this.ins[id].map((e) => {
      const from = edges[e].from;
      const node = nodes[from];
      if (node.name) return clean(node.name);
      if (node.kind === "constant") return clean(node.value.t);
      if (depth < 2 || !this.ins[from].length) return this.numbered(from);
      const inner = this.made(from, depth - 1);
      return this.isInfix(from) ? `(${inner})` : inner;
    }));
  }

  isInfix(id) {
    const node = this.description.nodes[id];
    return node.op in INFIX && this.ins[id].length === 2;
  }

  // The operation with these texts in the places of its inputs.
  applied(id, texts) {
    const node = this.description.nodes[id];
    if (this.isInfix(id)) return texts.join(` ${INFIX[node.op]} `);
    if (node.op === "negative") return `−${texts[0]}`;
    if (node.op === "getitem") return `${texts[0]}[…]`;
    const word = node.kind === "layer" || !node.op ? node.sign : node.op;
    const told = (node.told ?? []).filter((text) => text.includes("=") && !text.includes("(")); // a number or a word
    return `${clean(word)}(${[...texts, ...told.map(clean)].join(", ")})`;
  }

  groupName(id) {
    const group = this.description.groups[id];
    return clean(group.name) + (group.count ? ` ×${group.count}` : "");
  }

  // The groups that a node stands in, innermost first.
  groupsOf(node) {
    const out = [];
    for (let g = this.description.nodes[node].group; g !== null && g !== undefined; g = this.description.groups[g].parent) out.push(g);
    return out;
  }
}
