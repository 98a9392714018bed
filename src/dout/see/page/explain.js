// A step in words and numbers. What is said is a list of pieces: strings, and [text, class] where it is coloured.

import { clean } from "./dom.js";
import { mathOf } from "./mathml.js";
import { added, numberOf, short } from "./numbers.js";
import { as } from "./pieces.js";
import { textOfProblem } from "./problems.js";

const MOST = 6; // terms of a sum that are written out
const [ZERO, ONE] = [{ t: "0", v: 0 }, { t: "1", v: 1 }];

export class Explainer {
  constructor({ description, names, numbers, problems, say }) {
    Object.assign(this, { description, names, numbers, problems, say });
  }

  // kicker: which step it is; line: the equation; product: its factors with what they are; aside: in words; math: the
  // formula; meet: the sum, where derivatives meet.
  step(step, { i, n, scene, reached }) {
    const kicker = this.say(step.way === "forward" ? "page.kicker.forward" : "page.kicker.backward", { i, n });
    if (step.way === "backward") return { kicker, way: "backward", ...this.backward(step.arrow, scene, reached) };
    return { kicker, way: "forward", ...(step.group === undefined ? this.forward(step.node) : this.ran(step.group)) };
  }

  forward(id) {
    const node = this.description.nodes[id];
    const value = as(this.numbers.value(id).t, "fore");
    const name = as(this.names.of(id), "name");
    if (node.kind === "input" || node.kind === "constant") {
      return { line: [name, " = ", value], aside: this.say.pieces(node.kind === "input" ? "page.is.input" : "page.is.constant") };
    }
    const inputs = this.names.ins[id].map((e) => this.description.edges[e].from);
    const numbers = as(this.names.applied(id, inputs.map((from) => bracketed(this.numbers.value(from).t))), "fore");
    const made = this.names.made(id, 2);
    const line = [...(node.name ? [name, " = "] : []), as(made, "name"), " = "];
    if (!inputs.every((from) => this.description.nodes[from].kind === "constant")) line.push(numbers, " = ");
    line.push(value);
    const values = { op: as(node.op || node.sign, "name"), numbers: inputs.map((from) => this.numbers.value(from).t).join(this.say("page.comma")), value: this.numbers.value(id).t };
    return { line, aside: [this.say.pieces("page.forward.op", values), " ", this.source(node.where)] };
  }

  // A closed fold.
  ran(id) {
    const group = this.description.groups[id];
    const level = this.description.levels[String(id)];
    const outs = level ? [...new Set(level.outputs.map((port) => port.source))] : [];
    const ins = level ? [...new Set(level.inputs.map((port) => port.source))] : [];
    const values = (list) => list.map((node) => this.numbers.value(node).t).join(", ");
    const aside = [this.say("page.fold.ran", { name: this.names.groupName(id), size: group.size }), " ", this.source(group.where)];
    if (!outs.length) return { line: [as(this.names.groupName(id), "name")], aside };
    const target = outs.length === 1 && this.description.nodes[outs[0]].name;
    if (group.kind !== "layer" && group.kind !== "function") {
      return { line: [as(this.names.groupName(id), "name"), ": ", target ? [as(clean(target), "name"), " = "] : "", as(values(outs), "fore")], aside };
    }
    const head = `${clean(group.name)}(${ins.map((node) => this.names.of(node)).join(", ")})`;
    return {
      line: [...(target ? [as(clean(target), "name"), " = "] : []), as(head, "name"), " = ", as(`${clean(group.name)}(${values(ins)})`, "fore"), " = ", as(values(outs), "fore")],
      aside,
    };
  }

  backward(arrow, scene, reached = () => true) {
    const edges = arrow.edges.map((e) => this.description.edges[e]);
    const [from, to] = [as(this.names.of(arrow.source), "name"), as(this.toward(arrow), "name")];
    const down = this.numbers.under(arrow);
    const { up, local, formula } = this.factors(arrow, edges, down);
    const alone = edges.length === 1 && arrow.end.group === undefined;
    const [symbols, notes] = alone ? [this.symbols(edges[0]), this.notes(edges[0])] : ["", []];
    const out = { meet: this.meeting(arrow.source, scene, reached, arrow), math: formula, symbols, notes, aside: [] };
    if (up && local !== null) {
      out.product = [as(up.t, "upstream"), "×", as(told(local), "local"), "=", as(down.t, "downstream")];
      out.aside = this.say.pieces("page.back.product", { from, to });
    } else {
      out.line = [as(`∂L/∂${from.text}`, "name"), " = ", as(down?.t ?? "0", "back"), down?.t2 ? as(` ${down.t2}`, "small") : ""];
      const folded = arrow.end.group !== undefined && !scene.frames.some(({ group }) => group === arrow.end.group);
      out.aside = this.say.pieces(folded ? "page.back.folded" : "page.back.array", { from, to });
    }
    if (edges.some((edge) => edge.broadcast)) out.aside.push(" ", this.say("page.back.broadcast"));
    for (const text of this.disagreements(arrow, scene).slice(0, 1)) out.aside.push(" ", as(text, "bad"));
    return out;
  }

  // What the numerical derivative has against an arrow. What it has against a layer is said of the arrow to that, open or closed.
  disagreements(arrow, scene) {
    const wrong = arrow.edges.map((e) => this.description.edges[e]).filter((edge) => edge.wrong);
    const problems = arrow.edges.filter((e) => scene.meets.get(e) === arrow).map((e) => this.problems.wrong.get(e)).filter(Boolean);
    return [...wrong.map((edge) => disagreement(edge, this.say)), ...problems.map((problem) => textOfProblem(problem, this.say))];
  }

  // What there is to say besides a formula: what its notation means, and where it doesn't hold.
  notes(edge) {
    const { note, except = [] } = this.formula(edge) ?? {};
    const said = except.map(([where, value]) => this.say("formula_except", { where, value }));
    return note && this.say.knows(note) ? [this.say(note), ...said] : said;
  }

  // Of a single number: what comes from upstream, and by how much it is multiplied; and the formula.
  factors(arrow, edges, down) {
    if (arrow.end.group !== undefined) {
      const group = this.description.groups[arrow.end.group];
      const up = group.outputs?.length === 1 ? this.single(group.outputs[0]) : null;
      const known = up && numberOf(up) && down && numberOf(down) !== null;
      return { up, local: known ? numberOf(down) / numberOf(up) : null, formula: group.formula?.closed ?? null };
    }
    if (edges.length !== 1) return { up: null, local: null, formula: null };
    const formula = this.formula(edges[0]);
    const math = formula ? mathOf(formula.mathml) ?? formula.text : null;
    return { up: this.single(edges[0].to), local: down && !down.unknown ? this.numbers.local(edges[0].id) : null, formula: math };
  }

  // What the letters of a formula stand for.
  symbols(edge) {
    const { text = "" } = this.formula(edge) ?? {};
    const has = (letter) => new RegExp(`(?<!\\p{L})${letter}(?![\\p{L}₀-₉])`, "u").test(text.replaceAll("∂", " "));
    const ins = this.names.ins[edge.to].map((e, i, all) => [all.length > 1 ? [`x${"₁₂₃₄₅₆₇₈₉"[i]}`, "AB"[i] ?? "X"] : ["x", "X", "A"], this.description.edges[e].from]);
    const named = [...ins, [["y", "Y"], edge.to]].map(([letters, id]) => [letters.find(has), this.names.of(id)]);
    return named.filter(([letter, name]) => letter && !new RegExp(`\\b${letter}\\b`).test(name)).map((pair) => pair.join(" = ")).join(", ");
  }

  // The derivative that arrives at a node, if it is a number.
  single(node) {
    const total = this.numbers.total(node);
    return total && numberOf(total) !== null ? total : null;
  }

  // The formula of an edge's derivative: in the edge itself, or among those of the description.
  formula(edge) {
    return typeof edge.formula === "string" ? this.description.formulas?.[edge.formula] : edge.formula;
  }

  // What an arrow goes to: an operation, or a closed fold.
  toward(arrow) {
    if (arrow.end.group !== undefined) return this.names.groupName(arrow.end.group);
    if (!arrow.edges.length) return this.say("page.output");
    const { to } = this.description.edges[arrow.edges[0]];
    const name = this.names.of(to);
    return name === this.names.of(arrow.source) ? this.names.made(to) : name; // y = y + x has two of the same name
  }

  // The contributions to a node, as far as arrows can be seen.
  meeting(node, scene, reached, now) {
    const { terms, total } = this.contributions(node, scene);
    if (terms.length < 2 || !total) return null;
    const name = as(this.names.of(node), "name");
    const there = terms.filter((term) => term.arrow === null || reached(term.arrow));
    if (there.length < terms.length) return this.say.pieces("page.meet.some", { name, k: there.length, n: terms.length });
    const written = terms.slice(0, MOST).flatMap((term, i) => [i ? " + " : "", as(bracketed(term.t), term.arrow && term.arrow === now ? "back now" : "back")]);
    if (terms.length > MOST) written.push(" + …");
    if (total.shape) return this.say.pieces("page.meet.arrays", { name, n: terms.length, total: as(total.t2 ?? total.t, "back") });
    return this.say.pieces("page.meet.all", { name, sum: [...written, " = ", as(total.t, "back strong")] });
  }

  // What meets at a node, as far as arrows can be seen, and what that comes to; null where it can't be told.
  contributions(node, scene) {
    const edges = this.description.nodes[node].terms.filter((e) => e !== "output");
    const ends = this.description.outputs.filter((output) => output.node === node).map((end) => ({ value: end.derivative ?? ONE, arrow: null }));
    const arrows = [...new Set(edges.map((e) => scene.meets.get(e)))].filter(Boolean).map((arrow) => ({ value: this.numbers.under(arrow) ?? ZERO, arrow }));
    const terms = [...ends, ...arrows].map(({ value, arrow }) => ({ value, arrow, t: value.t }));
    if (edges.every((e) => scene.meets.has(e))) return { terms, total: this.numbers.total(node) };
    const seen = terms.every(({ value }) => numberOf(value) !== null) && terms.length;
    return { terms, total: seen ? terms.map(({ value }) => value).reduce(added) : null };
  }

  source(where) {
    if (!where) return "";
    return as(this.say("page.where", { file: clean(where.file), line: where.line }), "source");
  }
}

function bracketed(t) {
  return /^[−-]/.test(t) ? `(${t})` : t;
}

// What the numerical derivative has against an edge.
function disagreement({ said, numerical }, say) {
  if (!said || !say.knows(said.key)) return say("page.wrong", { numerical: told(numerical) });
  return say(said.key, Object.fromEntries(Object.entries(said.values).map(([key, value]) => [key, clean(value)])));
}

// A number of the description, which may be a string or a value of its own.
export function told(number) {
  return typeof number === "object" && number !== null ? number.t : short(Number(number));
}
