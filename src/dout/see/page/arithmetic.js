// Every value and every derivative of a picture, computed in the page for other inputs.
//
// `compute(description, overrides)` runs the operations forward and walks them back, as dout does in Python. What depends on
// nothing that moved keeps Python's own numbers. What can't be computed (an operation the page doesn't know, an array that
// isn't in the file, a layer's own Python code, complex numbers) is listed with all that depends on it, never guessed.

import { isArray, plus, sameShape, shapeOf } from "./arrays.js";
import { groupsReached, groupsUnsettled } from "./away.js";
import { lookedAgain } from "./looks.js";
import { COMPUTED, OUT } from "./operations.js";
import { BIG, COMPLEX, prepared, sameValue } from "./prepared.js";
import { isHeld } from "./special.js";

// The primitives that the page computes.
export const computed = COMPUTED;

/**
 * @param description the picture as JSON.
 * @param overrides a Map from the ids of inputs to what they are instead: a number, or {shape, data}.
 * @returns {values, derivatives, totals, own, locals, looks, unsure, cannot}: by node, by edge, by node, by group (of a closed
 *   layer, the derivatives that leave it) and by edge; which looks turned out otherwise, and of which that isn't known; what
 *   can't be computed and why, as a key of the words. What is in no map and not in `cannot` is as the description says.
 */
export function compute(description, overrides = new Map()) {
  const plan = prepared(description);
  const state = new State(plan);
  state.forward(overrides);
  state.back();
  return { ...state.results(), ...lookedAgain(description.looks ?? [], state.values, state.moved) };
}

class State {
  constructor(plan) {
    const n = plan.plans.length;
    this.plan = plan;
    this.values = plan.plans.map((p) => p.value);
    this.moved = new Uint8Array(n); // another value than in the description
    this.lost = new Array(n).fill(""); // why there is none
    this.totals = new Array(n).fill(undefined);
    this.reached = new Uint8Array(n); // a derivative arrived
    this.totalMoved = new Uint8Array(n);
    this.totalLost = new Array(n).fill("");
    this.derivatives = new Array(plan.edges).fill(undefined);
    this.locals = new Map();
    this.own = new Map();
    this.cannot = [];
    this.hit = new Set(); // groups that aren't in the file, through which something moves: forward
    this.unsettled = new Set(); // and back
  }

  forward(overrides) {
    if (this.plan.partial) this.hit = groupsReached(this.plan.plans, overrides.keys());
    for (const plan of this.plan.plans) {
      if (plan.run === null) {
        if (overrides.has(plan.id)) this.put(plan, overrides.get(plan.id));
      } else if (this.hit.has(plan.away)) {
        this.lose(plan, "cannot_group");
      } else if (plan.inputs.some((id) => this.moved[id])) {
        const why = this.run(plan);
        if (why) this.lose(plan, why);
      }
    }
  }

  put(plan, value) {
    if (plan.value === COMPLEX || plan.dtype.startsWith("complex") || !sameShape(shapeOf(value), plan.shape)) {
      return this.lose(plan, plan.value === COMPLEX ? "cannot_complex" : "cannot_array");
    }
    const given = isArray(value) ? { shape: value.shape, data: Float64Array.from(value.data) } : value;
    return this.move(plan, rounded(given, plan.round));
  }

  move(plan, value) {
    this.values[plan.id] = value;
    const before = plan.value;
    this.moved[plan.id] = isNumeric(before) && sameValue(before, value) ? 0 : 1;
  }

  lose(plan, why) {
    this.values[plan.id] = undefined;
    this.moved[plan.id] = 1;
    this.lost[plan.id] = why;
    this.cannot.push({ node: plan.id, why });
  }

  // Run one operation; gives the reason if it can't be.
  run(plan) {
    const { run, inputs, round, dtype } = plan;
    if (inputs.some((id) => this.lost[id])) return "cannot_upstream";
    if (typeof run === "string") return run;
    const values = inputs.map((id) => this.values[id]);
    const why = missing(values);
    if (why) return why;
    const value = rounded(run.forward(round ? values.map((v) => rounded(v, round)) : values), round);
    if (plan.python && run.python) {
      const raises = run.python(values[0], values[1], value);
      if (raises) return raises;
    }
    if (isArray(value) ? !sameShape(value.shape, plan.shape) : plan.shape.length) return "cannot_params";
    if (isArray(value) ? !value.data.every((x) => isHeld(x, dtype)) : !isHeld(value, dtype)) return "cannot_integer";
    this.move(plan, value);
    return "";
  }

  back() {
    const { plans, layers, partial } = this.plan;
    if (partial) this.unsettled = groupsUnsettled(plans, this.moved);
    const ends = new Map(layers.map((layer) => [layer.first, []]));
    for (const layer of layers) ends.get(layer.first).push(layer);
    const kept = new Set(layers.filter((layer) => !layer.open).flatMap((layer) => layer.entering));
    for (const plan of plans) if (plan.start !== null) this.add(plan.id, plan.start, false, "");
    for (let id = plans.length - 1; id >= 0; id -= 1) {
      const plan = plans[id];
      if (this.reached[id]) {
        this.finish(plan);
        plan.edges.forEach((edge, port) => {
          if (!edge.flows) return;
          const { d, moved, why } = this.derivative(plan, port, edge);
          if (why) this.cannot.push({ node: id, edge: edge.id, why });
          this.derivatives[edge.id] = d;
          if (!kept.has(edge.id)) this.add(edge.from, d, moved, why);
        });
      }
      for (const layer of ends.get(id) ?? []) this.leave(layer);
    }
  }

  // A derivative arrives at a node, and is summed with those that came before.
  add(id, d, moved, why) {
    if (!this.reached[id]) this.totals[id] = d;
    else this.totals[id] = d === undefined || this.totals[id] === undefined ? undefined : plus(this.totals[id], d);
    this.reached[id] = 1;
    if (moved || why) this.totalMoved[id] = 1;
    if (why) this.totalLost[id] = "cannot_upstream";
  }

  finish(plan) {
    const { id } = plan;
    if (!this.totalMoved[id]) {
      if (isNumeric(plan.total)) this.totals[id] = plan.total;
      return;
    }
    if (!this.totalLost[id] && this.totals[id] === undefined) this.totalLost[id] = "cannot_array";
    if (!this.totalLost[id]) return;
    this.totals[id] = undefined;
    this.cannot.push({ node: id, total: true, why: this.totalLost[id] });
  }

  // What flows along an edge: {d, moved, why}.
  derivative(plan, port, edge) {
    if (plan.away !== null) {
      const moved = this.unsettled.has(plan.away);
      return { d: moved || !isNumeric(edge.shipped) ? undefined : edge.shipped, moved, why: moved ? "cannot_group" : "" };
    }
    const values = plan.inputs.map((id) => this.values[id]);
    const uses = typeof plan.run === "string" ? null : plan.run.uses(port);
    const read = uses === null ? [...plan.inputs, plan.id] : uses.map((k) => (k === OUT ? plan.id : plan.inputs[k]));
    const total = { value: this.totals[plan.id], moved: this.totalMoved[plan.id], lost: this.totalLost[plan.id] };
    const source = this.plan.plans[edge.from];
    const found = this.pulled(plan.run, port, total, read, values, this.values[plan.id], edge.shipped, source);
    if (found.moved && !found.why && !plan.shape.length && !values.some(isArray)) {
      const local = plan.run.back(port, 1, this.values[plan.id], values);
      if (local !== null) this.locals.set(edge.id, local);
    }
    return found;
  }

  pulled(run, port, total, read, values, out, shipped, source) {
    const moved = Boolean(total.moved) || read.some((id) => this.moved[id]);
    if (!moved && isNumeric(shipped)) return { d: shipped, moved, why: "" };
    const known = read.map((id) => this.values[id]);
    let why = "";
    if (total.lost || read.some((id) => this.lost[id])) why = "cannot_upstream";
    else if (typeof run === "string") why = run;
    else why = missing([total.value, ...known]);
    if (why) return { d: undefined, moved, why: moved ? why : "" };
    const d = run.back(port, total.value, out, values);
    return { d: rounded(d, source.round), moved, why: "" };
  }

  // What a layer's own backward gives to those outside that feed it.
  leave(layer) {
    const { outputs, inputs, run } = layer;
    if (!outputs.some((id) => this.reached[id])) return;
    if (layer.open) {
      this.own.set(layer.id, inputs.map((id) => this.through(layer, id)));
      return;
    }
    const [output] = outputs;
    const total = { value: this.totals[output], moved: 0, lost: "" };
    for (const id of outputs) {
      total.moved ||= this.totalMoved[id];
      total.lost ||= this.totalLost[id];
    }
    const values = inputs.map((id) => this.values[id]);
    const own = inputs.map((id, port) => {
      if (layer.nothing[port]) return undefined;
      const named = (k) => (k === OUT ? output : inputs[k]);
      const uses = typeof run === "string" ? [...inputs, ...outputs] : run.uses(port).map(named);
      const source = this.plan.plans[id];
      const { d, moved, why } = this.pulled(run, port, total, uses, values, this.values[output], layer.own[port], source);
      if (why) this.cannot.push({ node: output, group: layer.id, port, why });
      if (layer.outermost[port] && source.kind !== "constant") this.add(id, d, moved, why);
      return d;
    });
    this.own.set(layer.id, own);
  }

  // What flows from a layer's inside to one node, along all edges that leave it.
  through(layer, id) {
    const ds = layer.entering.filter((edge) => this.plan.sources[edge] === id).map((edge) => this.derivatives[edge]);
    return ds.length && ds.every((d) => d !== undefined) ? ds.reduce(plus) : undefined;
  }

  results() {
    const values = new Map();
    const totals = new Map();
    const derivatives = new Map();
    this.values.forEach((v, id) => isNumeric(v) && values.set(id, v));
    this.derivatives.forEach((d, id) => d !== undefined && derivatives.set(id, d));
    for (const { id, kind, total } of this.plan.plans) {
      const known = this.reached[id] ? this.totals[id] : total;
      if (kind !== "constant" && isNumeric(known)) totals.set(id, known);
    }
    for (const plan of this.plan.plans) {
      if (this.reached[plan.id]) continue;
      for (const { id, shipped } of plan.edges) if (isNumeric(shipped)) derivatives.set(id, shipped);
    }
    return { values, derivatives, totals, own: this.own, locals: this.locals, cannot: this.cannot };
  }
}

const isNumeric = (v) => typeof v === "number" || isArray(v);

// Why some values can't be computed with; "" if they can.
function missing(values) {
  if (values.includes(COMPLEX)) return "cannot_complex";
  if (values.includes(BIG)) return "cannot_integer";
  return values.includes(undefined) ? "cannot_array" : "";
}

function rounded(value, round) {
  if (!round) return value;
  return isArray(value) ? { shape: value.shape, data: value.data.map(round) } : round(value);
}
