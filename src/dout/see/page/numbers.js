// The numbers of a picture: as they came from Python, or as the page computed them for other inputs.

import { compute } from "./arithmetic.js";

// JSON has no NaN and no infinity, so those come as strings, and so do ints that a double can't hold.
export function numberOf(value) {
  if (value === null || value === undefined || value.v === undefined) return null;
  return Number(value.v);
}

// Six digits; a whole number as such. As values.py writes it.
export function short(x, digits = 6) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (Object.is(x, -0)) return "−0";
  if (Number.isInteger(x) && Math.abs(x) < 1e9) return minus(String(x));
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const small = Number(power) < -4 || Number(power) >= digits;
  return minus(small ? `${trimmed(mantissa)}e${Number(power)}` : trimmed(x.toPrecision(digits)));
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const minus = (text) => text.replace(/^-/, "−");

// All digits, as Python prints a float.
export function full(value) {
  if (value.v === undefined) return value.t;
  if (typeof value.v === "string") return value.big ? minus(value.v) : value.t;
  return minus(String(value.v));
}

// How large a derivative is: of an array, its largest entry.
export function sizeOf(value) {
  if (!value) return null;
  if (value.v !== undefined) return Math.abs(Number(value.v));
  if (value.re !== undefined) return Math.hypot(Number(value.re), Number(value.im));
  if (value.bad) return Number.NaN;
  return value.min === undefined ? null : Math.max(Math.abs(Number(value.min)), Math.abs(Number(value.max)));
}

// A number or an array that was computed here, in the form that the description has.
export function valueOf(result, like) {
  if (typeof result === "boolean") return { t: result ? "True" : "False", v: result };
  if (typeof result === "number") return { t: short(result), v: Number.isFinite(result) ? result : String(result), dtype: like?.dtype };
  const { shape, data } = result;
  const dtype = like?.dtype ?? "float64";
  const out = { t: `${shape.length > 1 ? shape.join("×") : `[${data.length}]`} ${dtype}`, shape, dtype };
  if (data.length <= 64) out.data = [...data];
  const good = [...data].filter(Number.isFinite);
  const nans = [...data].filter(Number.isNaN).length;
  const bad = data.length - good.length;
  const line = [nans ? `NaN×${nans}` : "", bad > nans ? `∞×${bad - nans}` : ""];
  if (bad) out.bad = bad;
  if (good.length) {
    const [low, high] = good.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [good[0], good[0]]);
    Object.assign(out, { min: low, max: high, mean: good.reduce((a, b) => a + b, 0) / good.length });
    const noise = Math.abs(out.mean) < 1e-12 * Math.max(Math.abs(low), Math.abs(high)); // what rounding leaves of 0
    line.push(`min ${short(low)} mean ${noise ? "0" : short(out.mean, 4)} max ${short(high)}`);
    if (data.length > 1) Object.assign(out, { heat: heatOf(shape, [...data], low, high), hist: histogramOf(good, low, high) });
  }
  out.t2 = line.filter(Boolean).join(" ");
  if (like?.range !== undefined) out.range = rangeOf(out);
  return out;
}

// The second line of an array where there are many. As values.py writes it.
function rangeOf({ t2, min, max, bad }) {
  const before = t2.split("min ")[0];
  if (min === undefined) return before;
  const three = (x) => short(Number(x.toPrecision(3)) + 0); // no −0
  return before + (min === max && !bad ? `all ${three(min)}` : `${three(min)} … ${three(max)}`);
}

function heatOf(shape, data, low, high) {
  const cols = shape.at(-1);
  const rows = data.length / cols;
  if (rows > 32 || cols > 32) return undefined;
  return { rows, cols, cells: data.map((x) => (Number.isFinite(x) ? (x - low) / (high - low || 1) : null)) };
}

function histogramOf(good, low, high) {
  if (low === high) return { low, high, counts: [good.length] };
  const counts = new Array(16).fill(0);
  for (const x of good) counts[Math.min(15, Math.floor((16 * (x - low)) / (high - low)))] += 1;
  return { low, high, counts };
}

export class Numbers {
  constructor(description) {
    this.description = description;
    this.overrides = new Map();
    this.result = null;
  }

  // Set one input (a number, or {shape, data}) and compute everything anew; undefined sets it back.
  put(node, value) {
    if (value === undefined) this.overrides.delete(node);
    else this.overrides.set(node, value);
    this.renew();
  }

  renew() {
    this.result = this.overrides.size ? compute(this.description, this.overrides) : null;
    this.lost = { values: new Set(), totals: new Set(), derivatives: new Set() };
    for (const { node, edge, total, group } of this.result?.cannot ?? []) {
      if (edge !== undefined) this.lost.derivatives.add(edge);
      else if (total) this.lost.totals.add(node);
      else if (group === undefined) this.lost.values.add(node);
    }
  }

  reset() {
    this.overrides.clear();
    this.result = null;
  }

  // What can't be computed: [{node, why}], once for each operation that is the cause.
  get cannot() {
    const causes = (this.result?.cannot ?? []).filter(({ why }) => why !== "cannot_upstream");
    return [...new Map(causes.map((cause) => [`${cause.node} ${cause.why}`, cause])).values()];
  }

  get looks() {
    return this.result?.looks ?? [];
  }

  value(node) {
    return this.pick("values", node, this.description.nodes[node].value);
  }

  total(node) {
    return this.pick("totals", node, this.description.nodes[node].total);
  }

  derivative(edge) {
    return this.pick("derivatives", edge, this.description.edges[edge].derivative);
  }

  // What the page computed; what it lost; else what came from Python.
  pick(table, id, still) {
    if (!this.result || still === null || still === undefined) return still;
    const result = this.result[table].get(id);
    if (result === undefined) return this.lost[table].has(id) ? UNKNOWN : still;
    return isSame(result, still) ? still : valueOf(result, still);
  }

  // The local derivative of a scalar operation, by which what comes from upstream is multiplied.
  local(edge) {
    const { local } = this.description.edges[edge];
    if (local === null || local === undefined || !this.result) return local ?? null;
    const known = this.result.locals?.get(edge);
    if (known !== undefined) return known;
    return this.lost.derivatives.has(edge) ? null : local;
  }

  // What stands above an arrow, and below it: of several edges in one, the sum.
  over(arrow) {
    return this.result && arrow.source !== undefined && !arrow.many ? this.value(arrow.source) : arrow.value;
  }

  under(arrow) {
    if (!this.result || !arrow.edges.length || arrow.many) return arrow.derivative;
    const own = this.own(arrow);
    if (own !== undefined) return valueOf(own, arrow.derivative);
    if (this.isWhole(arrow)) return this.total(arrow.source);
    const terms = arrow.edges.map((edge) => this.derivative(edge)).filter((d) => d !== null && d !== undefined);
    return terms.length ? terms.reduce(added) : null;
  }

  // Whether an arrow out of a fold stands for all that its node goes to, outputs among it.
  isWhole({ edges, end, source, output }) {
    if (end.port === undefined || output !== undefined) return false;
    const terms = this.description.nodes[source].terms;
    return terms.includes("output") && terms.length === edges.length + terms.filter((term) => term === "output").length;
  }

  // What a closed layer's own backward gives.
  own(arrow) {
    const group = arrow.end.group === undefined ? undefined : this.description.groups[arrow.end.group];
    if (!group?.inputs || group.kind !== "layer") return undefined;
    return this.result.own?.get(group.id)?.[group.inputs.indexOf(arrow.source)];
  }
}

export const UNKNOWN = Object.freeze({ t: "?", unknown: true });

function isSame(result, still) {
  return typeof result === "number" && still.v !== undefined && Object.is(result, Number(still.v));
}

// The sum of two values of the description.
export function added(a, b) {
  if (a.unknown || b.unknown) return UNKNOWN;
  if (a.v !== undefined && b.v !== undefined) return valueOf(Number(a.v) + Number(b.v), a);
  if (a.data && b.data && a.data.length === b.data.length) {
    return valueOf({ shape: a.shape, data: a.data.map((x, i) => Number(x) + Number(b.data[i])) }, a);
  }
  return { t: a.t };
}
