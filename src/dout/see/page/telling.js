// What the page says of itself: the line below the picture at rest, warnings, and what is read aloud.

import { clean } from "./dom.js";
import { full } from "./numbers.js";
import { as } from "./pieces.js";

const LINES = 3; // of code, so many are named
const FORMAT = 1; // of descriptions that this page knows

export class Telling {
  constructor(page) {
    this.page = page;
  }

  // What the line below the picture says.
  told() {
    const { steps, say, explainer, scene, chosen, message } = this.page;
    const reached = (arrow) => this.page.seesDerivative(arrow);
    if (steps.current) return explainer.step(steps.current, { i: steps.at + 1, n: steps.list.length, scene, reached });
    if (message) return message;
    if (chosen) {
      const told = explainer.step(chosen, { i: 0, n: 0, scene, reached });
      return { ...told, kicker: say(chosen.way === "forward" ? "page.forward" : "page.backward") };
    }
    return this.summary();
  }

  summary() {
    const { description: { outputs, nodes }, numbers, say, steps, drawing, title } = this.page;
    const line = outputs.slice(0, 3).flatMap((output, i) => {
      const node = output.node === null ? null : nodes[output.node];
      const name = node?.name ? clean(node.name) : title + clean(output.path);
      const value = node ? numbers.value(output.node) : output.value;
      return [i ? ",  " : "", as(name, "name"), " = ", as(value.t, "fore")];
    });
    if (outputs.length > 3) line.push(" …");
    const key = !steps.list.length ? "page.intro.none" : drawing.boxes.some(({ box }) => box.group !== undefined) ? "page.intro.folds" : "page.intro";
    return { line, aside: say(key) };
  }

  warnings() {
    const { numbers, say, description, names, model, live } = this.page;
    const error = model.get("error");
    const out = error ? [error.split("\n").map(clean).join("\n")] : []; // the line of code stands below
    if (description.format !== FORMAT) out.push(say("page.format", { format: description.format, known: FORMAT }));
    if (description.complete === false) out.push(say("page.incomplete"));
    out.push(...this.byLine(numbers.looks, (look) => this.otherWay(look), () => null));
    if (!live) out.push(...this.byLine(numbers.result?.unsure ?? [], ({ where }) => say("page.look.unsure.line", placeOf(where)), () => say("page.look.unsure")));
    if (!live) for (const { node, why } of numbers.cannot.slice(0, 4)) {
      const { op, sign } = description.nodes[node];
      out.push(`${say("page.cannot", { op: clean(op || sign), name: names.of(node) })} ${say.knows(why) ? say(why) : ""}`);
    }
    return out;
  }

  // What there is to know besides, in the page's language as far as the catalogue has it.
  notes() {
    const { description: { notes = [], noted = [] }, say } = this.page;
    const known = notes.length === noted.length;
    return notes.map((note, i) => {
      const { key, values } = known ? noted[i] : {};
      return key && say.knows(key) ? say(key, Object.fromEntries(Object.entries(values).map(([k, v]) => [k, clean(v)]))) : clean(note);
    });
  }

  // Looks in words, those of one line once, and of many lines a few; `nowhere` is said if none has a line.
  byLine(looks, told, nowhere) {
    const all = looks.map((i) => this.page.description.looks[i]);
    const lines = [...new Map(all.filter(({ where }) => where?.line).reverse().map((look) => [`${look.where.file}:${look.where.line}`, look])).values()].reverse();
    const said = lines.slice(0, LINES).map(told);
    if (lines.length > LINES) said.push(this.page.say("page.look.more", { n: lines.length - LINES }));
    return said.length || !all.length ? said : [nowhere() ?? told(all[0])];
  }

  otherWay({ left, right, leftv, rightv, op, result, where }) {
    const { say, names } = this.page;
    const side = (id, v) => (id !== null && id !== undefined ? names.of(id) : typeof v === "object" && v !== null ? v.t ?? "" : String(v ?? ""));
    const look = `${side(left, leftv)} ${clean(op)} ${side(right, rightv)}`.trim();
    const now = typeof result === "boolean" ? (result ? "False" : "True") : say("page.look.other");
    return say(where?.line ? "page.look.line" : "page.look.nowhere", { look, now, ...placeOf(where) });
  }

  // A layer that opens or closes has the same derivative either way.
  ofFold(id, opening) {
    const { description, names, say } = this.page;
    const group = description.groups[id];
    const name = as(names.groupName(id), "name");
    const line = say.pieces(opening ? "page.fold.opened" : "page.fold.closed", { name });
    if (group.agree === false) return { line, aside: [as(say("page.differs"), "bad")] };
    if (!group.formula) return { line, aside: group.agree ? say("page.same") : null };
    const formulas = { opened: as(group.formula.opened, "back"), closed: as(group.formula.closed, "back") };
    return { line, meet: say.pieces("page.same.formulas", formulas), aside: group.agree ? say("page.same") : null };
  }

  sourceName(arrow) {
    return this.page.names.of(arrow.source);
  }

  // What is read aloud of an arrow and of a box.
  arrowLabel(arrow, seen, back) {
    const { explainer, numbers, say } = this.page;
    const derivative = numbers.under(arrow);
    return [`${this.sourceName(arrow)} → ${explainer.toward(arrow)}`, seen && `${say("page.value")} ${numbers.over(arrow)?.t}`,
      back && derivative && `${say("page.derivative")} ${derivative.t}`].filter(Boolean).join(", ");
  }

  boxLabel(box) {
    const { description, names, numbers, say, steps } = this.page;
    if (box.group !== undefined) return `${names.groupName(box.group)}, ${say("page.fold.size", { size: description.groups[box.group].size })}`;
    const node = description.nodes[box.node];
    const total = this.page.seesTotal(box.node) ? numbers.total(box.node) : null;
    const name = node.name && node.sign && node.kind !== "input" ? `${clean(node.name)}, ${clean(node.op || node.sign)}` : names.of(box.node);
    return [name, steps.reachedNode(box.node) && `${say("page.value")} ${full(numbers.value(box.node))}`,
      total && `${say("page.derivative")} ${full(total)}`].filter(Boolean).join(", ");
  }
}

const placeOf = (where) => ({ file: clean(where?.file), line: where?.line });
