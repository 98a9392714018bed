// The elementwise operations, one number at a time: what dout's rules/elementwise.py says, in JavaScript.
//
// `f` runs forward. `d` holds one pullback for each input, (dout, out, x, y) -> its derivative, before it is summed over the
// entries along which the input was repeated. `uses` says for each pullback which of x, y and the output (o) it reads, so that
// an array which isn't in the file forbids only what needs it. `python` says why Python's own operator would raise.

import {
  copySign, floorDivide, greater, greaterNumber, isNegative, lesser, lesserNumber, logAddExp, logAddExp2, modulo, powerOf,
  roundEven, signOf, timesPowerOfTwo,
} from "./special.js";

const DEGREE = Math.PI / 180;
const same = (dout) => dout;
const positive = (x) => (x < 0 ? NaN : x);
const valued = (dout, out) => (Number.isNaN(out) ? NaN : dout);
const none = (dout) => dout * 0;

// Half at a tie, all where x is the NaN.
const share = (wins) => (dout, _out, x, y) => (x === y ? dout * 0.5 : wins(x, y) || x !== x ? dout : 0);
const shareOfSecond = (wins) => (dout, _out, x, y) => (x === y ? dout * 0.5 : wins(y, x) || y !== y ? dout : 0);
// Half at a tie, all to x where y is the NaN.
const shareNumbers = (wins) => (dout, _out, x, y) => (x === y ? dout * 0.5 : wins(x, y) || y !== y ? dout : 0);
const shareNumbersOfSecond = (wins) => (dout, _out, x, y) => (x === y ? dout * 0.5 : wins(y, x) || x !== x ? dout : 0);
const more = (x, y) => x > y;
const less = (x, y) => x < y;

// x / size; 0 where the size is 0.
const direction = (x, size) => (size === 0 ? 0 : x / size);

// base**this / (base**this + base**other); equal infinities weigh the same.
function weight(base, soft, mine, other) {
  const tie = Math.abs(mine) === Infinity && mine === other;
  return base(-soft(0, tie ? 0 : other - mine));
}

// mine / (mine**2 + other**2), without squares, which would overflow; far out the angle stays as it is.
function turn(mine, other) {
  const size = Math.hypot(mine, other);
  return size === Infinity ? 0 : mine / size / size;
}

const exp2 = (x) => powerOf(2, x);

// `plain` says that y is a number of Python's, or of float64: there a power of 0 has the derivative 0 whatever x is.
function baseOfPower(dout, _out, x, y, plain) {
  if (y === 0 && (plain || x === 0)) return dout * 0;
  return y === 2 ? dout * 2 * x : dout * (y * powerOf(x, y - 1));
}

function powerRaises(x, y, out) {
  if (x === 0 && y < 0) return "cannot_raises";
  if (x < 0 && !Number.isInteger(y) && Number.isFinite(x) && Number.isFinite(y)) return "cannot_complex";
  return Math.abs(out) === Infinity && Number.isFinite(x) && Number.isFinite(y) ? "cannot_raises" : "";
}
const zeroRaises = (_x, y) => (y === 0 ? "cannot_raises" : "");

const absolute = { f: Math.abs, d: [(dout, _out, x) => dout * signOf(x)], uses: ["x"] };
const power = {
  f: powerOf,
  d: [baseOfPower, (dout, out, x) => dout * out * Math.log(x === 0 ? 1 : x)],
  uses: ["xy", "xo"],
};
const toRadians = { f: (x) => x * DEGREE, d: [(dout) => dout * DEGREE], uses: [""] };
const toDegrees = { f: (x) => x * (180 / Math.PI), d: [(dout) => dout * (180 / Math.PI)], uses: [""] };

export const ELEMENTWISE = {
  identity: { f: same, d: [same], uses: [""] },
  add: { f: (x, y) => x + y, d: [same, same], uses: ["", ""] },
  subtract: { f: (x, y) => x - y, d: [same, (dout) => -dout], uses: ["", ""] },
  multiply: { f: (x, y) => x * y, d: [(dout, _out, _x, y) => dout * y, (dout, _out, x) => dout * x], uses: ["y", "x"] },
  divide: {
    f: (x, y) => x / y, python: zeroRaises,
    d: [(dout, _out, _x, y) => dout / y, (dout, out, _x, y) => (-dout * out) / y], uses: ["y", "yo"],
  },
  negative: { f: (x) => -x, d: [(dout) => -dout], uses: [""] },
  positive: { f: same, d: [same], uses: [""] },
  absolute,
  fabs: absolute,
  conjugate: { f: same, d: [same], uses: [""] },
  reciprocal: { f: (x) => 1 / x, d: [(dout, out) => -dout * out * out], uses: ["o"] },
  square: { f: (x) => x * x, d: [(dout, _out, x) => dout * (x + x)], uses: ["x"] },
  remainder: {
    f: modulo, python: zeroRaises, d: [valued, (dout, _out, x, y) => -dout * floorDivide(x, y)], uses: ["o", "xy"],
  },
  fmod: { f: (x, y) => x % y, d: [valued, (dout, out, x, y) => -dout * roundEven((x - out) / y)], uses: ["o", "xyo"] },
  ldexp: { f: timesPowerOfTwo, d: [(dout, _out, _x, n) => timesPowerOfTwo(dout, n), () => 0], uses: ["y", ""] },
  copysign: {
    f: copySign, d: [(dout, _out, x, y) => (isNegative(x) === isNegative(y) ? dout : -dout), none], uses: ["xy", ""],
  },

  power: { ...power, python: powerRaises },
  float_power: power,
  sqrt: { f: Math.sqrt, d: [(dout, out) => (dout * 0.5) / out], uses: ["o"] },
  cbrt: { f: Math.cbrt, d: [(dout, out) => dout / (3 * out * out)], uses: ["o"] },
  exp: { f: Math.exp, d: [(dout, out) => dout * out], uses: ["o"] },
  exp2: { f: exp2, d: [(dout, out) => dout * out * Math.LN2], uses: ["o"] },
  expm1: { f: Math.expm1, d: [(dout, _out, x) => dout * Math.exp(x)], uses: ["x"] },
  log: { f: Math.log, d: [(dout, _out, x) => dout / positive(x)], uses: ["x"] },
  log2: { f: Math.log2, d: [(dout, _out, x) => dout / (positive(x) * Math.LN2)], uses: ["x"] },
  log10: { f: Math.log10, d: [(dout, _out, x) => dout / (positive(x) * Math.LN10)], uses: ["x"] },
  log1p: { f: Math.log1p, d: [(dout, _out, x) => dout / positive(1 + x)], uses: ["x"] },
  logaddexp: {
    f: logAddExp, uses: ["xy", "xy"],
    d: [(dout, _out, x, y) => dout * weight(Math.exp, logAddExp, x, y),
      (dout, _out, x, y) => dout * weight(Math.exp, logAddExp, y, x)],
  },
  logaddexp2: {
    f: logAddExp2, uses: ["xy", "xy"],
    d: [(dout, _out, x, y) => dout * weight(exp2, logAddExp2, x, y),
      (dout, _out, x, y) => dout * weight(exp2, logAddExp2, y, x)],
  },
  hypot: {
    f: Math.hypot, uses: ["xo", "yo"],
    d: [(dout, out, x) => dout * direction(x, out), (dout, out, _x, y) => dout * direction(y, out)],
  },

  sin: { f: Math.sin, d: [(dout, _out, x) => dout * Math.cos(x)], uses: ["x"] },
  cos: { f: Math.cos, d: [(dout, _out, x) => -dout * Math.sin(x)], uses: ["x"] },
  tan: { f: Math.tan, d: [(dout, out) => dout * (1 + out * out)], uses: ["o"] },
  arcsin: { f: Math.asin, d: [(dout, _out, x) => dout / Math.sqrt((1 - x) * (1 + x))], uses: ["x"] },
  arccos: { f: Math.acos, d: [(dout, _out, x) => -dout / Math.sqrt((1 - x) * (1 + x))], uses: ["x"] },
  arctan: { f: Math.atan, d: [(dout, _out, x) => dout / (1 + x * x)], uses: ["x"] },
  arctan2: {
    f: Math.atan2, uses: ["xy", "xy"],
    d: [(dout, _out, x, y) => dout * turn(y, x), (dout, _out, x, y) => -dout * turn(x, y)],
  },
  sinh: { f: Math.sinh, d: [(dout, _out, x) => dout * Math.cosh(x)], uses: ["x"] },
  cosh: { f: Math.cosh, d: [(dout, _out, x) => dout * Math.sinh(x)], uses: ["x"] },
  tanh: { f: Math.tanh, d: [(dout, out) => dout - dout * out * out], uses: ["o"] },
  arcsinh: { f: Math.asinh, d: [(dout, _out, x) => dout / Math.hypot(x, 1)], uses: ["x"] },
  arccosh: { f: Math.acosh, d: [(dout, _out, x) => dout / (Math.sqrt(x - 1) * Math.sqrt(x + 1))], uses: ["x"] },
  arctanh: { f: Math.atanh, d: [(dout, _out, x) => dout / positive((1 - x) * (1 + x))], uses: ["x"] },
  deg2rad: toRadians,
  radians: toRadians,
  rad2deg: toDegrees,
  degrees: toDegrees,

  maximum: { f: greater, d: [share(more), shareOfSecond(more)], uses: ["xy", "xy"] },
  minimum: { f: lesser, d: [share(less), shareOfSecond(less)], uses: ["xy", "xy"] },
  fmax: { f: greaterNumber, d: [shareNumbers(more), shareNumbersOfSecond(more)], uses: ["xy", "xy"] },
  fmin: { f: lesserNumber, d: [shareNumbers(less), shareNumbersOfSecond(less)], uses: ["xy", "xy"] },
  heaviside: {
    f: (x, h) => (x > 0 ? 1 : x < 0 ? 0 : x === 0 ? h : NaN), uses: ["", "x"],
    d: [none, (dout, _out, x) => (x === 0 ? dout : 0)],
  },
};

// What Python looks at on the way: comparisons, and the functions that are flat between jumps.
export const FLAT = {
  "<": less, "<=": (x, y) => x <= y, ">": more, ">=": (x, y) => x >= y, "==": (x, y) => x === y, "!=": (x, y) => x !== y,
  less, less_equal: (x, y) => x <= y, greater: more, greater_equal: (x, y) => x >= y, equal: (x, y) => x === y,
  not_equal: (x, y) => x !== y, floor_divide: floorDivide, "//": floorDivide,
  logical_and: (x, y) => x !== 0 && y !== 0, logical_or: (x, y) => x !== 0 || y !== 0,
  logical_xor: (x, y) => (x !== 0) !== (y !== 0), logical_not: (x) => x === 0,
  bool: (x) => x !== 0, int: Math.trunc, float: same, sign: signOf, floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc,
  fix: Math.trunc, rint: roundEven, isnan: (x) => x !== x, isinf: (x) => Math.abs(x) === Infinity, isfinite: Number.isFinite,
  isposinf: (x) => x === Infinity, isneginf: (x) => x === -Infinity, signbit: isNegative,
};
