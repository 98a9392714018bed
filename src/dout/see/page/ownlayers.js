// dout's own layers by their own forward and backward: what a closed layer gives, also where its primitives would give NaN.

import { entriesOf, made, sameShape, sizeOfShape, summedTo } from "./arrays.js";
import { operationOf, OUT } from "./operations.js";

// Elementwise: `f(x)`, and `d(dout, out, x)`.
function each(f, d, uses) {
  return (_shapes, shape) => ({
    forward: ([x]) => made(shape, Float64Array.from(entriesOf(x), f)),
    back: (_port, dout, out, [x]) => {
      const [outs, xs] = [uses === OUT && entriesOf(out), uses !== OUT && entriesOf(x)];
      return made(shape, Float64Array.from(entriesOf(dout), (g, i) => d(g, outs && outs[i], xs && xs[i])));
    },
    uses: () => [uses],
  });
}

// Its inputs are x, W and b; where W and b are no inputs, their numbers aren't in the file.
function affine(shapes, shape) {
  if (shapes.length !== 3) return "cannot_layer";
  const [x, W, b] = shapes;
  const product = operationOf("matmul", { ndims: [x.length, 2] }, [x, W], shape);
  const sum = operationOf("add", {}, [shape, b], shape);
  return {
    forward: (inputs) => sum.forward([product.forward(inputs), inputs[2]]),
    back: (port, dout, out, inputs) => (port === 2 ? summedTo(dout, b) : product.back(port, dout, out, inputs)),
    uses: (port) => (port === 2 ? [] : product.uses(port)),
  };
}

// For each example, the targets as a row: class numbers become rows of zeros with a one.
function rowsOf(t, like, classes) {
  if (sameShape(like, t.shape ?? [])) return entriesOf(t);
  return Float64Array.from(entriesOf(t)).reduce((rows, k, i) => {
    rows[i * classes + k] = 1;
    return rows;
  }, new Float64Array(sizeOfShape(like)));
}

function softmaxWithLoss([shape, targets]) {
  if (targets === undefined) return "cannot_layer";
  const classes = shape.at(-1);
  const batch = sizeOfShape(shape.slice(0, -1));
  function logs(x) {
    const out = new Float64Array(x.data.length);
    for (let i = 0; i < out.length; i += classes) {
      const row = x.data.subarray(i, i + classes);
      const most = row.reduce((a, b) => (a >= b || a !== a ? a : b));
      const log = Math.log(row.reduce((sum, v) => sum + Math.exp(v - most), 0));
      for (let k = 0; k < classes; k += 1) out[i + k] = row[k] - most - log;
    }
    return out;
  }
  return {
    forward([x, t]) {
      const rows = rowsOf(t, shape, classes);
      return logs(x).reduce((sum, log, i) => sum + (rows[i] === 0 ? 0 : rows[i] * -log), 0) / batch;
    },
    back(port, dout, _out, [x, t]) {
      const rows = rowsOf(t, shape, classes);
      const share = dout / batch;
      if (port === 1) return made(targets, logs(x).map((log) => -log * share));
      const d = logs(x).map((log, i) => {
        const start = i - (i % classes);
        const sum = rows.subarray(start, start + classes).reduce((a, b) => a + b, 0);
        return (Math.exp(log) * sum - rows[i]) * share;
      });
      return made(shape, d);
    },
    uses: () => [0, 1],
  };
}

const OWN_LAYERS = {
  // Math.exp gives infinity far out, and 1 / infinity is the 0 that is meant. A NaN passes through Relu forward.
  Sigmoid: each((x) => 1 / (1 + Math.exp(-x)), (dout, out) => dout * out * (1 - out), OUT),
  Relu: each((x) => (x <= 0 ? 0 : x), (dout, _out, x) => (x > 0 ? dout : 0), 0),
  MulLayer: (shapes, shape) => operationOf("multiply", {}, shapes, shape),
  AddLayer: (shapes, shape) => operationOf("add", {}, shapes, shape),
  Affine: affine,
  SoftmaxWithLoss: softmaxWithLoss,
};

export function layerOf(name, shapes, shape) {
  return Object.hasOwn(OWN_LAYERS, name) ? OWN_LAYERS[name](shapes, shape) : "cannot_layer";
}
