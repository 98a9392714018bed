// Where everything stands, with some folds open. A level is laid out with everything closed; opening is an insertion: a
// column grows by the most that one of its open items grows, and what is right of it moves by that; an open item pushes
// down what is below it in its column, and with it all that is in the same row, which stays level. Nothing comes to
// overlap. placement.py says the same.
//
// An arrow's points are its start, its `via`, the right end of its label, and its end. It lies level between its start and
// via[0], between via[1] and via[2], and so on to its label; it bends between via[0] and via[1], via[2] and via[3]...

export const HEADER = 24; // of an open group's frame
export const INSET = 8; // between the frame and its inside

// All that is visible with these groups open; those without a level, or within a closed one, change nothing.
export function place(levels, opened) {
  const measured = new Map();
  measure(levels, "top", opened, measured);
  const { width, height } = measured.get("top");
  const found = { width, height, items: [], frames: [], arrows: [] };
  const todo = [["top", 0, 0]];
  for (const [key, left, top] of todo) {
    const move = measured.get(key);
    const items = levels[key].items.map((item, index) => {
      const at = { ...item, x: left + move.x(item.x), y: top + move.top(index), level: key, index };
      const inner = move.inside.get(index);
      (inner ? found.frames : found.items).push(at);
      if (inner) {
        at.w = inner.width + 2 * INSET;
        at.h = inner.height + HEADER + 2 * INSET;
        at.ports = [inner.ports("inputs"), inner.ports("outputs")];
        todo.push([String(item.group), at.x + INSET, at.y + HEADER + INSET]);
      }
      return at;
    });
    levels[key].arrows.forEach((arrow, index) => {
      found.arrows.push({ ...led(arrow, levels[key].items, items, move, left, top), level: key, index });
    });
  }
  return found;
}

// Sizes come from the inside out: a level's own open levels first.
function measure(levels, key, opened, measured) {
  const inside = new Map();
  levels[key].items.forEach((item, i) => {
    const name = String(item.group);
    if (item.group === undefined || !opened.has(item.group) || levels[name] === undefined) return;
    if (!measured.has(name)) measure(levels, name, opened, measured);
    inside.set(i, measured.get(name));
  });
  measured.set(key, moves(levels[key], inside));
}

// Where x and y of a level come to lie when these of its items are open.
function moves(level, inside) {
  const columns = new Map();
  const [up, down, lift] = [new Map(), new Map(), new Map()];
  for (const [i, inner] of inside) {
    const item = level.items[i];
    const line = item.through === undefined ? item.line : HEADER + INSET + inner.top(item.through);
    lift.set(i, line - item.line); // its frame begins so much higher, for its row to go straight through it
    up.set(i, Math.max(0, line - item.line));
    down.set(i, Math.max(0, inner.height + HEADER + 2 * INSET - line - item.h + item.line));
    columns.set(item.column, Math.max(columns.get(item.column) ?? 0, inner.width + 2 * INSET - item.w));
  }
  const growths = [...columns].map(([column, by]) => [level.columns[column][1], by]);
  const shifts = []; // of each row, and of the lower edge
  for (const above of inside.size ? level.rows : []) {
    shifts.push(Math.max(0, ...above.map(([row, u, v]) => (shifts[row] ?? 0) + (down.get(u) ?? 0) + (up.get(v) ?? 0))));
  }
  const x = (at) => growths.reduce((total, [right, by]) => (right <= at ? total + by : total), at);
  const y = (at, row) => at + (inside.size ? shifts[row] : 0);
  const top = (i) => y(level.items[i].y, level.items[i].row) - (lift.get(i) ?? 0);
  // How far below the frame's top an arrow enters or leaves, by the node whose value it carries.
  const ports = (name) => new Map(level[name].map((port) => [port.source, HEADER + INSET + top(port.item)]));
  return { inside, x, y, top, ports, width: x(level.width), height: level.height + (shifts.at(-1) ?? 0) };
}

// An arrow whose ends and label go with its items, or with the ports of open ones, and whose way goes with the rows.
function led(arrow, closed, items, move, left, top) {
  const start = items[arrow.from];
  const end = items[arrow.to];
  const first = start.y + (start.ports?.[1].get(arrow.source) ?? arrow.sy);
  const x = left + move.x(arrow.label[0]);
  let y = end.y + arrow.label[1] - closed[arrow.to].y;
  let last = [end.x + arrow.tx, end.y + arrow.ty];
  if (end.ports) {
    y = end.y + (end.ports[0].get(arrow.source) ?? arrow.ty);
    last = [end.x, y];
  }
  const via = arrow.via.map(([a, b], k) => [left + move.x(a), top + move.y(b, arrow.rows?.[(k - 1) >> 1] ?? 0)]);
  via[0][1] = first;
  via.at(-1)[1] = y;
  const points = [[start.x + start.w, first], ...via, [x + arrow.lw / 2, y], last];
  return { ...arrow, points, label: [x, y] };
}
