// Operations that move entries and change none: for each entry of the output, the place in the input that it comes from.
//
// Each gives {shape, map}, from the operation's params and the input's shape; null for what the page doesn't read.

import { outerMap, sizeOfShape, spreadMap, steps, stridesOf } from "./arrays.js";

const range = (n) => Array.from({ length: n }, (_, i) => i);

const whole = (shape) => ({ shape, map: Int32Array.from(range(sizeOfShape(shape))) });

function permuted(shape, axes) {
  const strides = stridesOf(shape);
  return { shape: axes.map((i) => shape[i]), map: outerMap(axes.map((i) => steps(shape[i], strides[i]))) };
}

function reshape({ shape, order }, from) {
  if (order !== "F") return { shape: filledIn(shape, from), map: whole(from).map };
  const to = filledIn(shape, from);
  const column = permuted(from, range(from.length).reverse()).map; // the input's entries as they are read
  const places = permuted([...to].reverse(), range(to.length).reverse()).map; // where each stands in the output
  return { shape: to, map: places.map((i) => column[i]) };
}

// A shape with its -1 worked out.
function filledIn(shape, from) {
  const known = shape.filter((n) => n !== -1).reduce((n, m) => n * m, 1);
  return shape.map((n) => (n === -1 ? sizeOfShape(from) / known : n));
}

// Along each axis, the order in which its entries are read.
function along(shape, orders) {
  const strides = stridesOf(shape);
  const listed = (i) => Int32Array.from(orders.get(i), (k) => k * strides[i]);
  const axes = shape.map((n, i) => (orders.has(i) ? listed(i) : steps(n, strides[i])));
  return { shape: axes.map((a) => a.length), map: outerMap(axes) };
}

function roll({ shift, axis }, shape) {
  const shifts = [shift].flat();
  const axes = [axis].flat();
  const total = new Map();
  for (let k = 0; k < Math.max(shifts.length, axes.length); k += 1) {
    const i = axes[axes.length === 1 ? 0 : k];
    const place = i < 0 ? i + shape.length : i;
    total.set(place, (total.get(place) ?? 0) + shifts[shifts.length === 1 ? 0 : k]);
  }
  const back = ([i, by]) => [i, range(shape[i]).map((k) => (((k - by) % shape[i]) + shape[i]) % shape[i])];
  return along(shape, new Map([...total].map(back)));
}

function diagonal({ offset, axes }, shape) {
  const strides = stridesOf(shape);
  const [first, second] = axes;
  const down = Math.max(-offset, 0);
  const right = Math.max(offset, 0);
  const n = Math.max(0, Math.min(shape[first] - down, shape[second] - right));
  const rest = range(shape.length).filter((i) => !axes.includes(i));
  const lists = [...rest.map((i) => steps(shape[i], strides[i])), steps(n, strides[first] + strides[second])];
  const start = down * strides[first] + right * strides[second];
  return { shape: [...rest.map((i) => shape[i]), n], map: outerMap(lists, start) };
}

// Python's slice.indices.
function sliced([start, stop, step], n) {
  const by = step ?? 1;
  const clip = (k, low, high) => Math.max(low, Math.min(high, k < 0 ? k + n : k));
  const from = start === null ? (by > 0 ? 0 : n - 1) : by > 0 ? clip(start, 0, n) : clip(start, -1, n - 1);
  const to = stop === null ? (by > 0 ? n : -1) : by > 0 ? clip(stop, 0, n) : clip(stop, -1, n - 1);
  return { first: from, by, n: Math.max(0, Math.ceil((to - from) / by)) };
}

// The entries of an index, one for each axis that they read, with what "..." stands for written out.
function writtenOut(key, ndim) {
  const reads = (e) => (e?.mask ? e.shape.length : e?.new || e?.rest ? 0 : 1);
  const left = ndim - key.reduce((n, e) => n + reads(e), 0);
  const colon = { slice: [null, null, null] };
  const rest = key.some((e) => e?.rest) ? key : [...key, { rest: true }];
  // A "..." that stands for no axis still parts the arrays to its left from those to its right.
  return rest.flatMap((e) => (e?.rest ? (left ? new Array(left).fill(colon) : [{ gap: true }]) : e?.mask ? truths(e) : [e]));
}

// A mask is an index array for each of its axes.
function truths({ shape, mask }) {
  const places = range(mask.length).filter((i) => mask[i]);
  const strides = stridesOf(shape);
  return shape.map((n, k) => ({ shape: [places.length], at: places.map((i) => Math.floor(i / strides[k]) % n) }));
}

function getitem({ key }, shape) {
  if (!Array.isArray(key) || key.some((e) => e?.mask && !e.shape.length)) return null;
  const entries = writtenOut(key, shape.length);
  const arrays = entries.some((e) => e.at);
  const strides = stridesOf(shape);
  const axes = []; // of the output: how far each of its indices moves; that of the index arrays is one axis, named `block`
  const gathered = [];
  const turns = []; // the entries at which an index array stands
  let start = 0;
  let axis = 0;
  let block = 0;
  for (const [turn, e] of entries.entries()) {
    if (e.gap) continue;
    if (e.new) {
      axes.push(Int32Array.of(0));
      continue;
    }
    const [n, stride] = [shape[axis], strides[axis]];
    axis += 1;
    if (e.slice) {
      const { first, by, n: count } = sliced(e.slice, n);
      axes.push(steps(count, stride, first, by));
    } else if (e.at || arrays) {
      if (!gathered.length) block = axes.length;
      const at = e.at ? e : { shape: [], at: [e] };
      gathered.push({ shape: at.shape, steps: Int32Array.from(at.at, (k) => (k < 0 ? k + n : k) * stride) });
      turns.push(turn);
    } else {
      start += (e < 0 ? e + n : e) * stride;
    }
  }
  if (!arrays) return { shape: axes.map((a) => a.length), map: outerMap(axes, start) };
  const together = broadcastOf(gathered.map((g) => g.shape));
  const sums = new Int32Array(sizeOfShape(together));
  for (const g of gathered) spreadMap(g.shape, together).forEach((from, i) => (sums[i] += g.steps[from]));
  // Index arrays side by side leave their axes where they stand; otherwise those come first.
  const place = turns.at(-1) - turns[0] === turns.length - 1 ? block : 0;
  const lengths = axes.map((a) => a.length);
  const lists = [...axes.slice(0, place), sums, ...axes.slice(place)];
  return { shape: [...lengths.slice(0, place), ...together, ...lengths.slice(place)], map: outerMap(lists, start) };
}

function broadcastOf(shapes) {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  return range(ndim).map((i) => {
    const lengths = shapes.map((s) => s[i - ndim + s.length] ?? 1);
    return lengths.find((n) => n !== 1) ?? 1;
  });
}

function repeat({ counts, axis }, shape) {
  return along(shape, new Map([[axis, counts.flatMap((n, k) => new Array(n).fill(k))]]));
}

export const MOVES = {
  reshape,
  getitem,
  diagonal,
  roll,
  repeat,
  transpose: ({ axes }, shape) => permuted(shape, axes),
  broadcast_to: ({ shape: to }, shape) => ({ shape: to, map: spreadMap(shape, to) }),
  flip: ({ axes }, shape) => along(shape, new Map(axes.map((i) => [i, range(shape[i]).reverse()]))),
  copy: (_params, shape) => whole(shape),
};
