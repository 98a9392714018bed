// SciPy's special functions that are made of those that JavaScript has, and the error function.
//
// erf is W. J. Cody's rational approximations (Mathematics of Computation 23, 1969, p. 631), as in his CALERF: 18 digits.

import { powerOf } from "./special.js";

const NEAR = [
  3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3, 1.85777706184603153e-1,
];
const NEAR_BELOW = [2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3];
const MIDDLE = [
  5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
  1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3, 2.15311535474403846e-8,
];
const MIDDLE_BELOW = [
  1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3,
  4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
];
const FAR = [
  3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4,
  1.63153871373020978e-2,
];
const FAR_BELOW = [
  2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
];

// A quotient of polynomials as Cody writes them: the last number above is the first coefficient.
function quotient(x, above, below) {
  let [up, down] = [above[above.length - 1] * x, x];
  for (let i = 0; i < below.length - 1; i += 1) {
    up = (up + above[i]) * x;
    down = (down + below[i]) * x;
  }
  return (up + above[below.length - 1]) / (down + below[below.length - 1]);
}

// exp(-x**2), with the rounding of x**2 made up for.
function gauss(x) {
  const coarse = Math.trunc(x * 16) / 16;
  return Math.exp(-coarse * coarse) * Math.exp(-(x - coarse) * (x + coarse));
}

// erfc(x) exp(x**2) for x >= 0.46875.
function scaledTail(x) {
  if (x <= 4) return quotient(x, MIDDLE, MIDDLE_BELOW);
  const z = 1 / (x * x);
  return (1 / Math.sqrt(Math.PI) - z * quotient(z, FAR, FAR_BELOW)) / x;
}

export function erf(x) {
  const size = Math.abs(x);
  if (size <= 0.46875) return x * quotient(size > 1e-20 ? x * x : 0, NEAR, NEAR_BELOW);
  const found = size > 6 ? 1 : 1 - gauss(size) * scaledTail(size);
  return x < 0 ? -found : x > 0 ? found : NaN;
}

export function erfc(x) {
  if (x < 0.46875) return 1 - erf(x);
  return x > 27 ? 0 : gauss(x) * scaledTail(x);
}

export function expit(x) {
  return 1 / (1 + Math.exp(-x));
}

function softplus(x) {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x));
}

// x log y, where 0 log 0 is 0.
const timesLog = (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log(y));
const timesLog1p = (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log1p(y));
const shareOf = (x, y) => (x === 0 ? x : x / y);

// sin and cos near a multiple of π, where the argument of sinc is a whole number.
function sinc(x) {
  const u = Math.PI * (x === 0 ? 1e-20 : x);
  return Math.sin(u) / u;
}

const factorials = [1];
for (let k = 1; k < 30; k += 1) factorials.push(factorials[k - 1] * k);

// (cos(πx) - sinc(x)) / x, and near 0 its series.
function slopeOfSinc(x) {
  const u = Math.PI * x;
  if (!(Math.abs(u) < 1)) return Math.PI * ((Math.cos(u) - Math.sin(u) / u) / u);
  let series = 0;
  for (let k = 12; k > 0; k -= 1) series = series * (u * u) + ((k % 2 ? -1 : 1) * 2 * k) / factorials[2 * k + 1];
  return Math.PI * series * u;
}

// The means of exp(x cos t) and of cos t exp(x cos t) over a circle: the modified Bessel functions I0 and I1.
const circle = Array.from({ length: 256 }, (_, k) => Math.cos((2 * Math.PI * (k + 0.5)) / 256));
const besselI0 = (x) => circle.reduce((sum, c) => sum + Math.exp(x * c), 0) / 256;
const besselI1 = (x) => circle.reduce((sum, c) => sum + c * Math.exp(x * c), 0) / 256;

const huberWidth = (dout, _out, delta, r) => dout * (Math.abs(r) <= delta ? 0 : Math.abs(r) - delta);
const huberSlope = (dout, _out, delta, r) => dout * (Math.abs(r) <= delta ? r : delta * Math.sign(r));

// δ² (√(1 + (r/δ)²) - 1), by its derivatives too without anything that cancels.
function pseudoHuber(delta, r) {
  if (delta < 0) return Infinity;
  if (delta === 0 || r === 0) return 0;
  const u = r / delta;
  return delta * delta * Math.expm1(0.5 * Math.log1p(u * u));
}

function pseudoHuberWidth(dout, _out, delta, r) {
  const u = r / delta;
  const root = Math.hypot(1, u);
  const over = u * (u / (root + 1));
  return dout * (delta * over * (over / root));
}

const pseudoHuberSlope = (dout, _out, delta, r) => (dout * r) / Math.hypot(1, r / delta);

export const SCIPY = {
  sinc: { f: sinc, d: [(dout, _out, x) => dout * slopeOfSinc(x)], uses: ["x"] },
  i0: { f: besselI0, d: [(dout, _out, x) => dout * besselI1(x)], uses: ["x"] },
  erf: { f: erf, d: [(dout, _out, x) => dout * (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)], uses: ["x"] },
  erfc: { f: erfc, d: [(dout, _out, x) => dout * (-2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)], uses: ["x"] },
  ndtr: {
    f: (x) => 0.5 * erfc(-x * Math.SQRT1_2), uses: ["x"],
    d: [(dout, _out, x) => (dout * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI)],
  },
  expit: { f: expit, d: [(dout, out) => dout * out * (1 - out)], uses: ["o"] },
  logit: { f: (x) => Math.log(x / (1 - x)), d: [(dout, _out, x) => dout / (x * (1 - x))], uses: ["x"] },
  log_expit: { f: (x) => -softplus(-x), d: [(dout, _out, x) => dout * expit(-x)], uses: ["x"] },
  softplus: { f: softplus, d: [(dout, _out, x) => dout * expit(x)], uses: ["x"] },
  exp10: { f: (x) => powerOf(10, x), d: [(dout, out) => dout * out * Math.LN10], uses: ["o"] },
  cosm1: { f: (x) => -2 * Math.sin(x / 2) ** 2, d: [(dout, _out, x) => -dout * Math.sin(x)], uses: ["x"] },
  entr: {
    f: (x) => (x < 0 ? -Infinity : -timesLog(x, x)), d: [(dout, _out, x) => -dout * (Math.log(x) + 1)], uses: ["x"],
  },
  rel_entr: {
    f: (x, y) => (x > 0 && y > 0 ? x * Math.log(x / y) : x === 0 && y >= 0 ? 0 : x !== x || y !== y ? NaN : Infinity),
    d: [(dout, _out, x, y) => dout * (Math.log(x / y) + 1), (dout, _out, x, y) => -dout * (x / y)], uses: ["xy", "xy"],
  },
  xlogy: {
    f: timesLog, uses: ["y", "xy"],
    d: [(dout, _out, _x, y) => dout * Math.log(y), (dout, _out, x, y) => dout * shareOf(x, y)],
  },
  xlog1py: {
    f: timesLog1p, uses: ["y", "xy"],
    d: [(dout, _out, _x, y) => dout * Math.log1p(y), (dout, _out, x, y) => dout * shareOf(x, 1 + y)],
  },
  huber: {
    f: (delta, r) => (delta < 0 ? Infinity : Math.abs(r) <= delta ? 0.5 * r * r : delta * (Math.abs(r) - 0.5 * delta)),
    d: [huberWidth, huberSlope], uses: ["xy", "xy"],
  },
  pseudo_huber: { f: pseudoHuber, d: [pseudoHuberWidth, pseudoHuberSlope], uses: ["xy", "xy"] },
};
