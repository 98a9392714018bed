// What went wrong in the run, and where it is marked.

import { clean } from "./dom.js";
import { within } from "./scene.js";

export class Problems {
  constructor(description) {
    this.description = description;
    this.list = (description.problems ?? []).filter(isDrawn);
    const at = (kind, numerical) => this.list.filter((p) => (p.kind === "numerical") === numerical && known(p[kind])).map((p) => [p[kind], p]);
    this.alarms = new Map(at("node", false)); // by the node
    this.unequal = new Map(at("node", true)); // where two numbers should be the same
    this.edges = new Map(at("edge", false));
    this.wrong = new Map(at("edge", true)); // the derivative disagrees with the numerical one
  }

  // What a closed fold is marked with: "alarm", "unequal" or nothing.
  ofGroup(id) {
    const { nodes, groups } = this.description;
    const holds = (marked) => [...marked.keys()].some((node) => within(this.description, nodes[node].group, id));
    if (holds(this.alarms)) return "alarm";
    return holds(this.unequal) || groups[id].agree === false || groups[id].wrong ? "unequal" : null;
  }

  ofNode(id) {
    return this.alarms.has(id) ? "alarm" : this.unequal.has(id) ? "unequal" : null;
  }
}

const known = (id) => id !== null && id !== undefined;

// A Relu that is off for the only number it takes is what it is for, and no alarm.
const isDrawn = ({ kind, size }) => !(kind === "dead" && size === 1);

export function textOfProblem(problem, say) {
  const values = Object.fromEntries(Object.entries(problem).map(([k, v]) => [k, clean(v)]));
  return say.knows(problem.key) ? say(problem.key, values) : clean(problem.text ?? problem.kind);
}
