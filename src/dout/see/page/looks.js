// What Python looked at on the way (`if x > 0`, np.floor(x), ...), looked at again with what the inputs are now.

import { broadcastShapes, entriesOf, isArray, mapped, sameShape, shapeOf, spreadMap } from "./arrays.js";
import { FLAT } from "./elementwise.js";
import { readValue, sameValue } from "./prepared.js";
import { roundEven } from "./special.js";

// Which looks turn out otherwise, and of which that isn't known: {looks, unsure}, both by their indices.
export function lookedAgain(all, values, moved) {
  const looks = [];
  const unsure = [];
  for (const [i, look] of all.entries()) {
    const sides = [look.left ?? null, look.right ?? null];
    if (OF_FORM.has(look.op)) continue;
    if (![...sides, ...(look.inputs ?? [])].some((id) => id !== null && moved[id])) continue;
    const then = read(look.result);
    const now = outcome(look, sides, values);
    if (now === undefined || !isNumeric(then)) unsure.push(i);
    else if (!sameValue(now, then) && !(now === 0 && then === 0)) looks.push(i);
  }
  return { looks, unsure };
}

// What depends on shapes and dtypes alone, which don't change.
const OF_FORM = new Set([
  "shape", "ndim", "size", "isfortran", "iscomplexobj", "isrealobj", "isreal", "iscomplex", "result_type", "can_cast", "common_type",
  "min_scalar_type", "shares_memory", "may_share_memory", "zeros_like", "ones_like", "empty_like",
]);

const isNumeric = (v) => typeof v === "number" || isArray(v);

function outcome(look, sides, values) {
  if (look.params || look.inputs) return undefined;
  const given = [look.leftv, look.rightv];
  const now = sides.map((id, k) => (id === null ? read(given[k]) : values[id]));
  if (sides[1] === null && now[1] === undefined) now.pop();
  if (!now.every(isNumeric)) return undefined;
  if (Object.hasOwn(WHOLE_ARRAYS, look.op)) return now.length === 1 ? WHOLE_ARRAYS[look.op](now[0]) : undefined;
  const f = Object.hasOwn(FLAT, look.op) ? FLAT[look.op] : null;
  const shape = broadcastShapes(now.map(shapeOf));
  if (!f || !shape || f.length !== now.length) return undefined;
  const maps = now.map((v) => (sameShape(shapeOf(v), shape) ? null : spreadMap(shapeOf(v), shape)));
  return mapped((...xs) => Number(f(...xs)), now, shape, maps);
}

// The place of the first entry that wins; a NaN wins over all.
function placeOf(v, wins) {
  const data = entriesOf(v);
  let place = 0;
  for (let i = 1; i < data.length && !Number.isNaN(data[place]); i += 1) {
    if (wins(data[i], data[place]) || Number.isNaN(data[i])) place = i;
  }
  return place;
}

// The order of a row; unknown where entries are the same, for which NumPy promises none.
function orderOf(v) {
  if (shapeOf(v).length !== 1 || new Set(v.data).size !== v.data.length) return undefined;
  const order = [...v.data.keys()].sort((i, k) => v.data[i] - v.data[k] || Number.isNaN(v.data[i]) - Number.isNaN(v.data[k]));
  return { shape: v.shape, data: Float64Array.from(order) };
}

// Of functions that take an array as a whole, without options.
const WHOLE_ARRAYS = {
  any: (v) => Number(entriesOf(v).some((x) => x !== 0)),
  all: (v) => Number(entriesOf(v).every((x) => x !== 0)),
  argmax: (v) => placeOf(v, (x, y) => x > y),
  argmin: (v) => placeOf(v, (x, y) => x < y),
  argsort: orderOf,
  count_nonzero: (v) => entriesOf(v).filter((x) => x !== 0).length,
  round: (v) => mapped(roundEven, [v], shapeOf(v), [null]),
};

// A plain number, an array {shape, data}, or a value of the description.
function read(v) {
  if (v === null || v === undefined) return undefined;
  return typeof v === "object" ? readValue(v) : Number(v);
}
