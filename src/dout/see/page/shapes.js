// Lines and signs, as strokes.py and svg_signs.py draw them. An arrow is two lines side by side, with heads of two shapes.

export const GAP = 3; // of the two lines from the arrow's middle
export const HEAD = 7;

const num = (x) => String(Math.round(x * 100) / 100 || 0);

// A path through the points, level where they are level and bent in between, beside them at a constant distance.
export function line(points, shift, end = 0) {
  let [x, y] = points[0];
  let path = `M${num(x)} ${num(y + shift)}`;
  let last = null;
  for (const [a, b] of points.slice(1)) {
    if (Math.abs(b - y) < 0.01) last = a;
    else {
      if (last !== null) path += `H${num(last)}`;
      path += bend(x, y, a, b, shift);
      last = null;
    }
    [x, y] = [a, b];
  }
  return path + (last === null ? "" : `H${num(x - end)}`);
}

// A curve that leaves and arrives level. Its handles are moved so that two of them stay as far apart where they are steep.
function bend(x, y, a, b, shift) {
  const run = a - x;
  const rise = b - y;
  const handle = num((x + a) / 2 - (shift * rise * 4) / 3 / Math.max(Math.hypot(run, rise), 1e-9));
  return `C${handle} ${num(y + shift)} ${handle} ${num(b + shift)} ${num(a)} ${num(b + shift)}`;
}

// Forward: filled, at the target.
export function forwardHead(points, shift) {
  const [x, y] = points.at(-1);
  return `M${num(x)} ${num(y + shift)}l${-HEAD} -3.6v7.2z`;
}

// Backward: open, at the source; larger where the line is thick.
export function backwardHead(points, shift, w = 0) {
  const [x, y] = points[0];
  const half = 3.8 + w / 2;
  return `M${num(x + HEAD + w)} ${num(y + shift - half)}L${num(x)} ${num(y + shift)}l${num(HEAD + w)} ${num(half)}`;
}

const STAR = [[-4.5, 0, 9, 0], [-2.25, -3.9, 4.5, 7.8], [-2.25, 3.9, 4.5, -7.8]];
const MINUS = [[-7, 0, 14, 0]];
// Lines from the middle of the circle: where each starts, and how far it goes.
const SIGNS = {
  "+": [...MINUS, [0, -7, 0, 14]],
  "-": MINUS,
  "−": MINUS,
  "×": [[-5.5, -5.5, 11, 11], [-5.5, 5.5, 11, -11]],
  "/": [[-4, 8, 8, -16]],
  "**": [-6, 6].flatMap((dx) => STAR.map(([x, y, a, b]) => [x + dx, y, a, b])),
};

// The common signs are drawn, so that they are the same size in every font; null for the others.
export function signPath(text, x, y) {
  return SIGNS[text]?.map(([dx, dy, a, b]) => `M${num(x + dx)} ${num(y + dy)}l${a} ${b}`).join("") ?? null;
}

// One line becomes several on the way there (broadcasting); several are summed on the way back.
export function fanPath(x, y) {
  return `M${num(x - 4)} ${num(y - 5)}h2.5l5 -3M${num(x - 1.5)} ${num(y - 5)}h5.5M${num(x - 1.5)} ${num(y - 5)}l5 3`;
}

// A triangle with an exclamation mark.
export function warningPaths(x, y) {
  return [`M${num(x)} ${num(y - 9)}l8.5 15h-17z`, `M${num(x)} ${num(y - 3.5)}v4.5M${num(x)} ${num(y + 3.2)}v1`];
}

// A disc with ≠.
export function unequalPaths(x, y) {
  return [`M${num(x - 7.5)} ${num(y)}a7.5 7.5 0 1 1 15 0a7.5 7.5 0 1 1 -15 0z`, `M${num(x - 3.5)} ${num(y - 1.8)}h7m-7 3.6h7M${num(x + 2)} ${num(y - 4.5)}l-4 9`];
}
