// Arrays in the page: {shape, data}, the entries in C order. A single number is a number.
//
// An operation that moves entries is a map: for each entry of the output, the place that it comes from.

export const isArray = (v) => typeof v === "object" && v !== null;
export const shapeOf = (v) => (isArray(v) ? v.shape : []);
export const entriesOf = (v) => (isArray(v) ? v.data : [v]);
export const sizeOfShape = (shape) => shape.reduce((n, m) => n * m, 1);

// A single number where the shape is ().
export function made(shape, data) {
  return shape.length ? { shape, data } : data[0];
}

export const filled = (shape, x) => made(shape, new Float64Array(sizeOfShape(shape)).fill(x));

export function plus(a, b) {
  return isArray(a) ? { shape: a.shape, data: a.data.map((x, i) => x + b.data[i]) } : a + b;
}

export function sameShape(a, b) {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function stridesOf(shape) {
  const strides = new Array(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i -= 1) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

export function broadcastShapes(shapes) {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array(ndim).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i += 1) {
      const k = ndim - shape.length + i;
      if (shape[i] !== 1 && out[k] !== 1 && shape[i] !== out[k]) return null;
      if (shape[i] !== 1) out[k] = shape[i];
    }
  }
  return out;
}

// The map of an outer sum: axis by axis, how far each index along it moves in memory.
export function outerMap(axes, start = 0) {
  let map = Int32Array.of(start);
  for (const steps of axes) {
    const next = new Int32Array(map.length * steps.length);
    for (let i = 0; i < map.length; i += 1) {
      for (let k = 0; k < steps.length; k += 1) next[i * steps.length + k] = map[i] + steps[k];
    }
    map = next;
  }
  return map;
}

export const steps = (n, stride, first = 0, by = 1) => Int32Array.from({ length: n }, (_, k) => (first + k * by) * stride);

// Where each entry of a shape comes from in an input that is broadcast to it.
export function spreadMap(from, to) {
  const strides = stridesOf(from);
  const missing = to.length - from.length;
  return outerMap(to.map((n, i) => steps(n, i < missing || from[i - missing] === 1 ? 0 : strides[i - missing])));
}

export function gather(data, map) {
  const out = new Float64Array(map.length);
  for (let i = 0; i < map.length; i += 1) out[i] = data[map[i]];
  return out;
}

// The way back: each entry is added to the place that it came from.
export function scatterAdd(data, map, size) {
  const out = new Float64Array(size);
  for (let i = 0; i < map.length; i += 1) out[map[i]] += data[i];
  return out;
}

export function broadcastTo(v, shape) {
  if (sameShape(shapeOf(v), shape)) return v;
  return made(shape, gather(entriesOf(v), spreadMap(shapeOf(v), shape)));
}

// An elementwise function of any inputs, each spread to the output's shape by its map; null where it has that shape.
export function mapped(f, inputs, shape, maps) {
  if (!shape.length) return f(...inputs);
  const n = sizeOfShape(shape);
  const [x, y, ...rest] = inputs.map((v, k) => (maps[k] ? gather(entriesOf(v), maps[k]) : entriesOf(v)));
  const out = new Float64Array(n);
  if (y === undefined) for (let i = 0; i < n; i += 1) out[i] = f(x[i]);
  else if (!rest.length) for (let i = 0; i < n; i += 1) out[i] = f(x[i], y[i]);
  else for (let i = 0; i < n; i += 1) out[i] = f(x[i], y[i], ...rest.map((z) => z[i]));
  return { shape, data: out };
}

// The entries of an array in an order in which those that are reduced together follow one another.
export function reductionMap(shape, axes) {
  const strides = stridesOf(shape);
  const rest = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...rest, ...axes];
  return outerMap(order.map((i) => steps(shape[i], strides[i])));
}

// NumPy's sum of what lies together: eight sums at once, and halves of long rows, so that as little as possible is rounded.
export function pairwiseSum(data, start, n) {
  if (n < 8) {
    let sum = -0;
    for (let i = 0; i < n; i += 1) sum += data[start + i];
    return sum;
  }
  if (n > 128) {
    const half = Math.floor(n / 2) - (Math.floor(n / 2) % 8);
    return pairwiseSum(data, start, half) + pairwiseSum(data, start + half, n - half);
  }
  const r = Array.from(data.subarray(start, start + 8));
  let i = 8;
  for (; i + 8 <= n; i += 8) for (let k = 0; k < 8; k += 1) r[k] += data[start + i + k];
  let sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]));
  for (; i < n; i += 1) sum += data[start + i];
  return sum;
}

// The sum over some axes, in NumPy's order: of what lies together in memory by pairs, and of such rows one after another.
export function summedOver({ shape, data }, axes) {
  const rows = gather(data, reductionMap(shape, axes));
  const count = sizeOfShape(shape.filter((_, i) => !axes.includes(i)));
  const n = count ? rows.length / count : 0;
  let last = shape.length;
  while (axes.includes(last - 1)) last -= 1;
  const row = sizeOfShape(shape.slice(last));
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let k = i * n; k < (i + 1) * n; k += row) sum += pairwiseSum(rows, k, row);
    return sum;
  });
}

// A derivative summed over the axes along which its input was repeated.
export function summedTo(v, shape) {
  const have = shapeOf(v);
  if (sameShape(have, shape)) return v;
  const missing = have.length - shape.length;
  const axes = have.map((_, i) => i).filter((i) => i < missing || (have[i] !== 1 && shape[i - missing] === 1));
  return made(shape, axes.length ? summedOver(v, axes) : v.data);
}

// The matrix product as NumPy's matmul: leading axes broadcast, one axis alone is a row or a column.
export function matrixProduct(a, b) {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [rows, inner] = left.slice(-2);
  const columns = right.at(-1);
  const batch = broadcastShapes([left.slice(0, -2), right.slice(0, -2)]);
  const lefts = spreadMap(left.slice(0, -2), batch);
  const rights = spreadMap(right.slice(0, -2), batch);
  const out = new Float64Array(lefts.length * rows * columns);
  for (let k = 0; k < lefts.length; k += 1) {
    for (let i = 0; i < rows; i += 1) {
      for (let j = 0; j < columns; j += 1) {
        let sum = 0;
        for (let m = 0; m < inner; m += 1) {
          sum += a.data[(lefts[k] * rows + i) * inner + m] * b.data[(rights[k] * inner + m) * columns + j];
        }
        out[(k * rows + i) * columns + j] = sum;
      }
    }
  }
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [rows]), ...(b.shape.length === 1 ? [] : [columns])];
  return made(shape, out);
}

// The last two axes changed for one another.
export function transposed(a) {
  const shape = [...a.shape.slice(0, -2), a.shape.at(-1), a.shape.at(-2)];
  const strides = stridesOf(a.shape);
  const axes = [...shape.keys()].slice(0, -2).concat([shape.length - 1, shape.length - 2]);
  return { shape, data: gather(a.data, outerMap(axes.map((i) => steps(a.shape[i], strides[i])))) };
}

export const reshaped = (v, shape) => made(shape, entriesOf(v));
