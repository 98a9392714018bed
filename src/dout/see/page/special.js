// Functions of single numbers that JavaScript lacks, or has with other conventions than Python and NumPy.

// The largest integer up to which every integer is a double of its own.
export const WHOLE = Number.MAX_SAFE_INTEGER;

const LOG2E = 1.4426950408889634;

export function isNegative(x) {
  return x < 0 || Object.is(x, -0); // NumPy's signbit; JavaScript can't see the sign of a NaN
}

export function copySign(x, y) {
  return isNegative(x) === isNegative(y) ? x : -x;
}

export function signOf(x) {
  return x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : NaN;
}

// To the nearest integer, halves to the even one; JavaScript's Math.round takes halves upwards.
export function roundEven(x) {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

// Python's % on floats, and NumPy's remainder: of the divisor's sign.
export function modulo(x, y) {
  const r = x % y;
  if (r === 0) return copySign(0, y);
  return r < 0 !== y < 0 ? r + y : r;
}

// NumPy's floor_divide, which agrees with its remainder: not floor(x / y), which rounds first.
export function floorDivide(x, y) {
  if (y === 0) return x / y;
  if (Math.abs(y) === Infinity && Number.isFinite(x)) return x === 0 || x < 0 === y < 0 ? copySign(0, x / y) : -1;
  const quotient = (x - modulo(x, y)) / y;
  if (quotient === 0) return copySign(0, x / y);
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// C's pow, which Python and NumPy use: 1 to any power is 1, and so is -1 to an infinite one. Whole powers of whole
// numbers are multiplied out, so that they are exact.
export function powerOf(x, y) {
  if (x === 1 || y === 0 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  if (y > 0 && y <= 64 && Number.isInteger(x) && Number.isInteger(y)) {
    let result = 1;
    for (let base = x, n = y; n > 0; n = Math.floor(n / 2), base *= base) if (n % 2 === 1) result *= base;
    if (Math.abs(result) <= WHOLE) return result;
  }
  return Math.pow(x, y);
}

// x * 2**n, in steps, so that neither the power overflows nor a subnormal result is rounded twice.
export function timesPowerOfTwo(x, n) {
  if (x === 0 || !Number.isFinite(x)) return x;
  let rest = Math.max(-2200, Math.min(2200, n));
  while (rest > 1000) {
    x *= 2 ** 1000;
    rest -= 1000;
  }
  while (rest < -900 && Math.abs(x) >= 2 ** -100) {
    x *= 2 ** -900;
    rest += 900;
  }
  return rest < -1000 ? x * 2 ** -1000 * 2 ** (rest + 1000) : x * 2 ** rest;
}

// log(exp(x) + exp(y)), without overflow.
export function logAddExp(x, y) {
  if (x === y) return x + Math.LN2;
  const apart = x - y;
  return apart > 0 ? x + Math.log1p(Math.exp(-apart)) : y + Math.log1p(Math.exp(apart));
}

export function logAddExp2(x, y) {
  if (x === y) return x + 1;
  const apart = x - y;
  return apart > 0 ? x + LOG2E * Math.log1p(2 ** -apart) : y + LOG2E * Math.log1p(2 ** apart);
}

// NumPy's maximum and minimum: a NaN wins; fmax and fmin: a number wins.
export function greater(x, y) {
  return x >= y || x !== x ? x : y;
}

export function lesser(x, y) {
  return x <= y || x !== x ? x : y;
}

export function greaterNumber(x, y) {
  return x >= y || y !== y ? x : y;
}

export function lesserNumber(x, y) {
  return x <= y || y !== y ? x : y;
}

// To the nearest number of 16 bits: eleven significant binary digits, none below 2**-24, none above 65504.
export function roundHalf(x) {
  const size = Math.abs(x);
  if (!(size > 0) || size === Infinity) return x;
  if (size >= 65520) return x > 0 ? Infinity : -Infinity;
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent -= 1;
  if (2 ** (exponent + 1) <= size) exponent += 1;
  const step = 2 ** (Math.max(exponent, -14) - 10);
  return roundEven(x / step) * step;
}

// How a dtype rounds: null where doubles hold its numbers as they are; undefined for one that the page doesn't know.
export function rounding(dtype) {
  if (dtype === "float32") return Math.fround;
  if (dtype === "float16") return roundHalf;
  return dtype in LIMITS || PLAIN.has(dtype) ? null : undefined;
}

const PLAIN = new Set(["float", "float64", "bool", "int"]);
// The least and greatest number of the integer dtypes; past 2**53 a double doesn't hold them.
const LIMITS = {
  int: [-WHOLE, WHOLE], int64: [-WHOLE, WHOLE], uint64: [0, WHOLE], int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1], int16: [-32768, 32767], uint16: [0, 65535], int8: [-128, 127], uint8: [0, 255],
};

// Whether a number of an integer dtype is one that the page holds exactly. A float, where a slider moved an int, is.
export function isHeld(x, dtype) {
  const limits = LIMITS[dtype];
  return limits === undefined || !Number.isInteger(x) || (x >= limits[0] && x <= limits[1]);
}
