// How each operation runs forward and back. What isn't here the page can't compute, and says so.
//
// An operation, made once for a node from its params and shapes, is {forward, back, uses}: `forward(inputs)` gives its value,
// `back(port, dout, out, inputs)` the derivative of one input, and `uses(port)` names what that reads: places among the
// inputs, and OUT. Complex numbers it doesn't know.

import {
  broadcastTo, entriesOf, gather, isArray, made, mapped, matrixProduct, pairwiseSum, reductionMap, sameShape, scatterAdd,
  sizeOfShape, spreadMap, stridesOf, summedOver, summedTo, transposed,
} from "./arrays.js";
import { ELEMENTWISE } from "./elementwise.js";
import { MOVES } from "./moves.js";
import { SCIPY } from "./scipy.js";
import { greater, lesser } from "./special.js";

export const OUT = -1;
const NUMBERWISE = { ...ELEMENTWISE, ...SCIPY };
// An einsum that runs through more combinations of indices than this would hold up the page.
const MOST = 4e6;

function elementwise(rule, shapes, shape, plain) {
  const maps = shapes.map((s) => (sameShape(s, shape) ? null : spreadMap(s, shape)));
  const used = rule.uses.map((text) => [...text].map((c) => "xy".indexOf(c))); // "o" isn't among them: OUT
  return {
    python: rule.python,
    forward: (inputs) => mapped(rule.f, inputs, shape, maps),
    uses: (port) => used[port],
    back(port, dout, out, inputs) {
      const d = rule.d[port];
      if (!shape.length) return d(dout, out, inputs[0], inputs[1], plain);
      const read = used[port];
      const [x, y] = inputs.map((v, k) => read.includes(k) && (maps[k] ? gather(entriesOf(v), maps[k]) : entriesOf(v)));
      const o = read.includes(OUT) && out.data;
      const data = dout.data.map((g, i) => d(g, o && o[i], x && x[i], y && y[i], plain));
      return summedTo({ shape, data }, shapes[port]);
    },
  };
}

function move(found, shape) {
  return {
    forward: ([x]) => made(found.shape, gather(entriesOf(x), found.map)),
    back: (_port, dout) => made(shape, scatterAdd(entriesOf(dout), found.map, sizeOfShape(shape))),
    uses: () => [],
  };
}

function reducedShape({ axes, keepdims }, shape) {
  return keepdims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape.filter((_, i) => !axes.includes(i));
}

// A reduction: `reduce(data, start, n)` of entries that lie together, and the derivative of each of them.
function reduction(params, [shape], reduce, derivative, used = [0, OUT]) {
  const map = reductionMap(shape, params.axes);
  const to = reducedShape(params, shape);
  const count = sizeOfShape(to);
  const n = map.length / count || 0;
  return {
    forward([x]) {
      const data = gather(entriesOf(x), map);
      const out = new Float64Array(count);
      for (let i = 0; i < count; i += 1) out[i] = reduce(data, i * n, n);
      return made(to, out);
    },
    back(_port, dout, out, [x]) {
      const d = new Float64Array(map.length);
      const [douts, outs] = [entriesOf(dout), used.length ? entriesOf(out) : []];
      const xs = used.length ? entriesOf(x) : [];
      for (let i = 0; i < count; i += 1) derivative(d, map.subarray(i * n, (i + 1) * n), douts[i], outs[i], xs);
      return made(shape, d);
    },
    uses: () => used,
  };
}

function fold(f, first) {
  return (data, start, n) => {
    let result = first ?? data[start];
    for (let i = 0; i < n; i += 1) result = f(result, data[start + i]);
    return result;
  };
}

// Those that are as great (or small) as the result share its derivative; NaNs share that of a NaN.
function extreme(d, places, dout, out, xs) {
  const mine = places.filter((p) => xs[p] === out || xs[p] !== xs[p]);
  for (const p of mine) d[p] = dout / mine.length;
}

// The product of the others, from the left and from the right, so that zeros do no harm.
function others(d, places, dout, _out, xs) {
  let product = 1;
  for (const p of places) {
    d[p] = product;
    product *= xs[p];
  }
  product = 1;
  for (const p of [...places].reverse()) {
    d[p] *= product * dout;
    product *= xs[p];
  }
}

// Sums and products that run along an axis: `rows` of places, one for each line along it.
function running({ axis }, [shape], forward, back, used) {
  const map = reductionMap(shape, [axis]);
  const n = shape[axis];
  const rows = Array.from({ length: n ? map.length / n : 0 }, (_, i) => map.subarray(i * n, (i + 1) * n));
  const over = (fill) => {
    const out = new Float64Array(map.length);
    for (const row of rows) fill(out, row);
    return { shape, data: out };
  };
  return {
    forward: ([x]) => over((out, row) => row.forEach((p, i) => (out[p] = i ? forward(out[row[i - 1]], x.data[p]) : x.data[p]))),
    back: (_port, dout, _out, [x]) => over((d, row) => back(d, row, dout.data, x?.data)),
    uses: () => used,
  };
}

function backFromSum(d, row, dout) {
  for (let i = row.length - 1, sum = 0; i >= 0; i -= 1) d[row[i]] = sum += dout[row[i]];
}

// (x_0 .. x_(i-1)) s_i, where s_i = dout_i + x_(i+1) s_(i+1).
function backFromProduct(d, row, dout, x) {
  for (let i = row.length - 1, s = 0; i >= 0; i -= 1) {
    s = i + 1 < row.length ? dout[row[i]] + x[row[i + 1]] * s : dout[row[i]];
    d[row[i]] = s;
  }
  for (let i = 0, before = 1; i < row.length; before *= x[row[i]], i += 1) d[row[i]] *= before;
}

function concatenate({ axis, widths }, shapes, shape) {
  const strides = stridesOf(shape);
  const starts = widths.map((_, k) => widths.slice(0, k).reduce((n, m) => n + m, 0));
  const block = strides[axis] ?? 1;
  const places = shapes.map((s, k) => {
    const row = s[axis] * block; // the entries of this input that lie together in the output
    const line = shape[axis] * block;
    return Int32Array.from({ length: sizeOfShape(s) }, (_, i) => Math.floor(i / row) * line + starts[k] * block + (i % row));
  });
  return {
    forward(inputs) {
      const out = new Float64Array(sizeOfShape(shape));
      inputs.forEach((x, k) => places[k].forEach((p, i) => (out[p] = x.data[i])));
      return made(shape, out);
    },
    back: (port, dout) => made(shapes[port], gather(dout.data, places[port])),
    uses: () => [],
  };
}

function where(_params, shapes, shape) {
  const spread = (v) => entriesOf(broadcastTo(v, shape));
  return {
    forward([c, x, y]) {
      const [cs, xs, ys] = [spread(c), spread(x), spread(y)];
      return made(shape, Float64Array.from({ length: cs.length }, (_, i) => (cs[i] ? xs[i] : ys[i])));
    },
    back(port, dout, _out, [c]) {
      const [cs, ds] = [spread(c), entriesOf(dout)];
      const data = Float64Array.from({ length: cs.length }, (_, i) => (Boolean(cs[i]) === (port === 1) ? ds[i] : 0));
      return summedTo(made(shape, data), shapes[port]);
    },
    uses: () => [0],
  };
}

function scatter({ key, shape }, [from]) {
  const found = MOVES.getitem({ key }, shape);
  if (!found) return "cannot_params";
  const back = (dout) => summedTo(made(found.shape, gather(entriesOf(dout), found.map)), from);
  const forward = (x) => made(shape, scatterAdd(entriesOf(broadcastTo(x, found.shape)), found.map, sizeOfShape(shape)));
  return { forward: ([x]) => forward(x), back: (_port, dout) => back(dout), uses: () => [] };
}

function write({ through, how }, [base, value]) {
  const found = MOVES[through]?.(how, base);
  if (!found) return "cannot_params";
  const last = new Int32Array(sizeOfShape(base)).fill(-1); // which entry of the value stays, where one is written twice
  found.map.forEach((p, i) => (last[p] = i));
  return {
    forward([x, v]) {
      const data = Float64Array.from(entriesOf(x));
      const values = entriesOf(broadcastTo(v, found.shape));
      found.map.forEach((p, i) => (data[p] = values[i]));
      return made(base, data);
    },
    back(port, dout) {
      const ds = entriesOf(dout);
      if (port === 0) return made(base, Float64Array.from(ds, (d, p) => (last[p] < 0 ? d : 0)));
      const data = Float64Array.from(found.map, (p, i) => (last[p] === i ? ds[p] : 0));
      return summedTo(made(found.shape, data), value);
    },
    uses: () => [],
  };
}

function matmul({ ndims }, shapes) {
  const [m, n] = ndims;
  const wide = (v, ndim, side) => (ndim > 1 ? v : { shape: side ? [...v.shape, 1] : [1, ...v.shape], data: v.data });
  // A row or column alone gets its second axis back, and so does what came of it; the sum drops them again.
  function back(port, dout, _out, [x, y]) {
    const [a, b] = [x && wide(x, m, 0), y && wide(y, n, 1)];
    const batch = (dout.shape ?? []).slice(0, (dout.shape ?? []).length - (m > 1) - (n > 1));
    const d = { shape: [...batch, m > 1 ? shapes[0].at(-2) : 1, n > 1 ? shapes[1].at(-1) : 1], data: entriesOf(dout) };
    const found = port ? matrixProduct(transposed(a), d) : matrixProduct(d, transposed(b));
    const alone = (port ? n : m) === 1;
    const full = alone ? [found.shape.at(port ? -2 : -1)] : found.shape.slice(-2);
    return summedTo({ shape: [...found.shape.slice(0, -2), ...full], data: found.data }, shapes[port]);
  }
  return { forward: ([x, y]) => matrixProduct(x, y), back, uses: (port) => [1 - port] };
}

// Every combination of the labels' values is one product; each operand's place in it is a map.
function einsum({ inputs: terms, result }, shapes, shape) {
  const sizes = new Map();
  terms.forEach((term, k) => term.forEach((x, i) => sizes.set(x, Math.max(sizes.get(x) ?? 1, shapes[k][i]))));
  const labels = [...sizes.keys()];
  const n = sizeOfShape([...sizes.values()]);
  if (n > MOST || shapes.some((s) => s.includes(0))) return "cannot_large";
  const mapOf = (term, s) => {
    const strides = stridesOf(s);
    const along = (x) => term.reduce((sum, y, i) => sum + (y === x && s[i] !== 1 ? strides[i] : 0), 0);
    const axes = labels.map((x) => Int32Array.from({ length: sizes.get(x) }, (_, k) => k * along(x)));
    return axes.reduce((map, list) => {
      const next = new Int32Array(map.length * list.length);
      map.forEach((p, i) => list.forEach((by, k) => (next[i * list.length + k] = p + by)));
      return next;
    }, new Int32Array(1));
  };
  const places = terms.map((term, k) => mapOf(term, shapes[k]));
  const ends = mapOf(result, shape);
  const product = (datas, i, but) => datas.reduce((p, data, k) => (k === but ? p : p * data[places[k][i]]), 1);
  return {
    forward(inputs) {
      const out = new Float64Array(sizeOfShape(shape));
      const datas = inputs.map(entriesOf);
      for (let i = 0; i < n; i += 1) out[ends[i]] += product(datas, i, -1);
      return made(shape, out);
    },
    back(port, dout, _out, inputs) {
      const d = new Float64Array(sizeOfShape(shapes[port]));
      const [datas, ds] = [inputs.map((x, k) => (k === port ? null : entriesOf(x))), entriesOf(dout)];
      for (let i = 0; i < n; i += 1) d[places[port][i]] += ds[ends[i]] * product(datas, i, port);
      return made(shapes[port], d);
    },
    uses: (port) => terms.map((_, k) => k).filter((k) => k !== port),
  };
}

// NumPy's correlate of a long row with a short one: sums of products at each place.
function correlate(_params, [a, v], shape) {
  const [n, m] = [shape[0] ?? 1, v[0]];
  return {
    forward([x, y]) {
      const out = new Float64Array(n);
      for (let i = 0; i < n; i += 1) for (let k = 0; k < m; k += 1) out[i] += x.data[i + k] * y.data[k];
      return made(shape, out);
    },
    back(port, dout, _out, [x, y]) {
      const [d, ds] = [new Float64Array((port ? v : a)[0]), entriesOf(dout)];
      for (let i = 0; i < n; i += 1) {
        for (let k = 0; k < m; k += 1) d[port ? k : i + k] += ds[i] * (port ? x.data[i + k] : y.data[k]);
      }
      return made(port ? v : a, d);
    },
    uses: (port) => [1 - port],
  };
}

// Products of stacks of vectors and matrices, as sums over labels: `terms` are the last axes of each input and of the output.
function contracted(terms, constants = []) {
  return (_params, shapes, shape) => {
    const all = [...shapes, ...constants.map((c) => c.shape)];
    const stack = (s, term) => Array.from({ length: s.length - term.length }, (_, i) => i - (s.length - term.length));
    const labels = terms.map((term, k) => [...stack(all[k] ?? shape, term), ...term]);
    const inner = einsum({ inputs: labels.slice(0, -1), result: labels.at(-1) }, all, shape);
    if (typeof inner === "string") return inner;
    return {
      forward: (inputs) => inner.forward([...inputs, ...constants]),
      back: (port, dout, out, inputs) => inner.back(port, dout, out, [...inputs, ...constants]),
      uses: (port) => inner.uses(port).filter((k) => k < shapes.length),
    };
  };
}

// The sign of each permutation of three axes.
const signs = { shape: [3, 3, 3], data: new Float64Array(27) };
for (const [i, j, k] of [[0, 1, 2], [1, 2, 0], [2, 0, 1]]) {
  signs.data[9 * i + 3 * j + k] = 1;
  signs.data[9 * i + 3 * k + j] = -1;
}

const norm = ({ axes }, [shape]) => {
  const all = axes ?? shape.map((_, i) => i);
  const length = (data, start, n) => Math.sqrt(pairwiseSum(data.subarray(start, start + n).map((x) => x * x), 0, n));
  const derivative = (d, places, dout, out, xs) => places.forEach((p) => (d[p] = out === 0 ? dout * 0 : (dout * xs[p]) / out));
  return reduction({ axes: all, keepdims: true }, [shape], length, derivative);
};

function spreadOut(d, places, dout) {
  for (const p of places) d[p] = dout;
}

const OPERATIONS = {
  concatenate,
  correlate,
  cross: contracted([[2], [3], [1, 2, 3], [1]], [signs]),
  einsum,
  matmul,
  matvec: contracted([[1, 2], [2], [1]]),
  norm,
  scatter,
  vecdot: contracted([[1], [1], []]),
  vecmat: contracted([[1], [1, 2], [2]]),
  where,
  write,
  sum: (params, shapes) => ({
    ...reduction(params, shapes, null, spreadOut, []),
    forward: ([x]) => made(reducedShape(params, shapes[0]), isArray(x) ? summedOver(x, params.axes) : [x]),
  }),
  prod: (params, shapes) => reduction(params, shapes, fold((x, y) => x * y, 1), others),
  max: (params, shapes) => reduction(params, shapes, fold(greater), extreme),
  min: (params, shapes) => reduction(params, shapes, fold(lesser), extreme),
  cumsum: (params, shapes) => running(params, shapes, (a, b) => a + b, backFromSum, []),
  cumprod: (params, shapes) => running(params, shapes, (a, b) => a * b, backFromProduct, [0]),
  astype: (_params, shapes, shape) => elementwise(ELEMENTWISE.identity, shapes, shape),
};

// What the page computes, by the primitives' names.
export const COMPUTED = [...Object.keys(NUMBERWISE), ...Object.keys(MOVES), ...Object.keys(OPERATIONS)].sort();

// The operation of a node, or the key of the words that say why there is none.
export function operationOf(op, params, shapes, shape, plain) {
  const rule = Object.hasOwn(NUMBERWISE, op) && NUMBERWISE[op];
  if (rule && rule.d.length === shapes.length) return elementwise(rule, shapes, shape, plain);
  if (params?.page === false) return "cannot_params";
  try {
    if (Object.hasOwn(MOVES, op)) {
      const found = MOVES[op](params, shapes[0]);
      return found && sameShape(found.shape, shape) ? move(found, shapes[0]) : "cannot_params";
    }
    return Object.hasOwn(OPERATIONS, op) ? OPERATIONS[op](params, shapes, shape) : "cannot_unknown";
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return "cannot_params"; // a param that isn't there
    throw error;
  }
}
