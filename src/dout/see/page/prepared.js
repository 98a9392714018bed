// What `compute` needs to know of a description, read once.

import { entriesOf, filled, plus, sameShape, sizeOfShape } from "./arrays.js";
import { operationOf } from "./operations.js";
import { layerOf } from "./ownlayers.js";
import { rounding } from "./special.js";

// A complex number, and an int too large for a double: values that the page has but can't compute with.
export const COMPLEX = Symbol("complex");
export const BIG = Symbol("big");

// A value of the description as a number, an array, one of these two, or undefined where it isn't in the file.
export function readValue(value) {
  if (!value || value.unknown || value.parts) return undefined;
  if (value.re !== undefined || value.dtype?.startsWith("complex")) return COMPLEX;
  if (!value.shape?.length) return value.big ? BIG : value.v === undefined ? undefined : Number(value.v);
  if (!value.data) return sizeOfShape(value.shape) ? undefined : { shape: value.shape, data: new Float64Array(0) };
  if (value.data.some((x) => typeof x === "string" && /\d/.test(x))) return BIG;
  return { shape: value.shape, data: Float64Array.from(value.data, Number) };
}

const PYTHON = new Set(["float", "int", "bool"]);
const preparations = new WeakMap();

export function prepared(description) {
  let plan = preparations.get(description);
  if (!plan) preparations.set(description, (plan = prepare(description)));
  return plan;
}

function prepare({ nodes, edges, groups, outputs }) {
  const plans = nodes.map((node) => ({
    id: node.id,
    kind: node.kind,
    value: readValue(node.value),
    total: readValue(node.total),
    shape: node.value?.shape ?? [],
    dtype: node.value?.dtype ?? "float64",
    round: rounding(node.value?.dtype ?? "float64"),
    inputs: [], // by port, the ids of the nodes that it is made from
    edges: [], // by port, the edges to them
    start: null, // of an output, the derivative that the walk starts with there
    away: null, // the group that isn't in the file in which it stands
    run: null,
  }));
  for (const edge of edges) {
    const to = plans[edge.to];
    to.inputs[edge.port] = edge.from;
    const { id, from, derivative } = edge;
    to.edges[edge.port] = { id, from, shipped: readValue(derivative), flows: Boolean(derivative) };
  }
  for (const { node, derivative } of outputs) {
    if (node === null || node === undefined) continue;
    const start = readValue(derivative) ?? filled(plans[node].shape, 1);
    plans[node].start = plans[node].start === null ? start : plus(plans[node].start, start);
  }
  const away = outside(groups ?? []);
  for (const plan of plans) {
    const node = nodes[plan.id];
    if (plan.kind !== "op" && plan.kind !== "layer") continue;
    plan.away = away(node.group);
    plan.run = plan.away === null ? runOf(plan, node, plans) : "cannot_group";
  }
  const sources = edges.map((edge) => edge.from);
  const partial = plans.some((plan) => plan.away !== null);
  return { plans, partial, layers: layersOf(groups ?? [], nodes, plans), edges: edges.length, sources };
}

// For a group, the outermost one around it that is not in the file; null where all is.
function outside(groups) {
  const known = new Map(groups.map((g) => [g.id, g]));
  return (id) => {
    let found = null;
    for (let g = known.get(id); g; g = known.get(g.parent)) if (g.shipped === false) found = g.id;
    return found;
  };
}

function runOf(plan, node, plans) {
  const inputs = plan.inputs.map((id) => plans[id]);
  plan.python = PYTHON.has(plan.dtype) && inputs.every((p) => PYTHON.has(p.dtype));
  if (node.value?.parts) return "cannot_unknown"; // an operation with several outputs
  if (plan.dtype.startsWith("complex") || inputs.some((p) => p.dtype.startsWith("complex"))) return "cannot_complex";
  if (plan.round === undefined) return "cannot_dtype";
  const shapes = inputs.map((p) => p.shape);
  if (plan.kind === "layer") return node.builtin ? layerOf(node.builtin, shapes, plan.shape) : "cannot_layer";
  // Rules take a power of float64, a subclass of Python's float, for Python's own.
  const isPlain = (p) => !p.shape.length && (PYTHON.has(p.dtype) || p.dtype === "float64");
  return operationOf(node.op, node.params, shapes, plan.shape, inputs.length === 2 && isPlain(inputs[1]));
}

// The layers that are opened: what leaves one backward is what its own backward gives, not what its primitives do.
function layersOf(groups, nodes, plans) {
  const parents = new Map(groups.map((g) => [g.id, g.parent]));
  const inside = new Map(groups.filter((g) => g.kind === "layer" && g.shipped !== false).map((g) => [g.id, new Set()]));
  for (const node of nodes) {
    for (let id = node.group; id !== null && id !== undefined; id = parents.get(id)) inside.get(id)?.add(node.id);
  }
  return groups.filter((g) => inside.get(g.id)?.size).map((g) => layerAround(g, inside, parents, plans));
}

function layerAround(group, inside, parents, plans) {
  const members = inside.get(group.id);
  const entering = [...members].flatMap((id) => plans[id].edges.filter((edge) => !members.has(edge.from) && edge.flows));
  const inputs = group.inputs ?? [];
  const outputs = group.outputs ?? (group.output === undefined || group.output === null ? [] : [group.output]);
  const shapes = inputs.map((id) => plans[id].shape);
  const run = group.builtin && outputs.length === 1 ? layerOf(group.builtin, shapes, plans[outputs[0]].shape) : "cannot_layer";
  const own = inputs.map((_, k) => readValue(group.own?.[k]));
  const through = inputs.map((id) => entering.filter((edge) => edge.from === id).map((edge) => edge.shipped));
  let around = parents.get(group.id);
  while (around !== null && around !== undefined && !inside.has(around)) around = parents.get(around);
  return {
    id: group.id,
    first: Math.min(...members),
    entering: entering.map((edge) => edge.id),
    inputs,
    outputs,
    run,
    // Through its primitives goes what leaves a layer whose own backward gives the same.
    open: typeof run === "string" && group.agree === true && own.every((d, k) => agrees(d, through[k], plans[inputs[k]].dtype)),
    own,
    nothing: inputs.map((_, k) => !group.own?.[k]),
    // What feeds a layer around this one gets its derivative from that.
    outermost: inputs.map((id) => !inside.get(around) || inside.get(around).has(id)),
  };
}

// Whether a layer's own derivative is what its primitives give, but for rounding; true where the file doesn't say.
function agrees(own, through, dtype) {
  if ([own, ...through].some((d) => typeof d === "symbol" || d === undefined)) return true;
  if (!through.length) return entriesOf(own).every((x) => x === 0);
  const [mine, theirs] = [entriesOf(own), entriesOf(through.reduce(plus))];
  const close = { float32: 1e-5, float16: 1e-2 }[dtype] ?? 1e-12;
  const size = mine.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return mine.every((x, i) => Object.is(x, theirs[i]) || Math.abs(x - theirs[i]) <= close * size);
}

export function sameValue(a, b) {
  if (typeof a === "number" || typeof b === "number") return Object.is(a, b);
  return sameShape(a.shape, b.shape) && a.data.every((x, i) => Object.is(x, b.data[i]));
}
