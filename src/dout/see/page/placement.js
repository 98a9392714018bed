// Where everything stands, with some folds open. A level is laid out with everything closed; opening is an insertion: a
// column grows by the most that one of its open items grows, and what is right of it moves by that; what stands below an
// open item moves down by as much as that grows. Nothing comes to overlap. placement.py says the same.
//
// An arrow's points are its start, its `via`, the right end of its label, and its end. It lies level between its start and
// via[0], between via[1] and via[2], and so on to its label; it bends between via[0] and via[1], via[2] and via[3]...

export const HEADER = 24; // of an open group's frame
export const INSET = 8; // between the frame and its inside

// All that is visible with these groups open; those without a level, or within a closed one, change nothing.
export function place(levels, opened) {
  const sizes = new Map();
  const grown = new Map();
  measure(levels, "top", opened, sizes, grown);
  const found = { items: [], frames: [], arrows: [] };
  const [width, height] = sizes.get("top");
  found.width = width - 2 * INSET;
  found.height = height - HEADER - 2 * INSET;
  const todo = [["top", 0, 0]];
  for (const [key, left, top] of todo) {
    const { x, y, inside } = grown.get(key);
    const level = levels[key];
    const items = level.items.map((item, index) => {
      const at = { ...item, x: left + x(item.x), y: top + y(item.y), level: key, index };
      const name = inside.get(index);
      if (name === undefined) {
        found.items.push(at);
        return at;
      }
      [at.w, at.h] = sizes.get(name);
      at.ports = ports(levels[name], grown.get(name).y);
      todo.push([name, at.x + INSET, at.y + HEADER + INSET]);
      found.frames.push(at);
      return at;
    });
    level.arrows.forEach((arrow, index) => {
      found.arrows.push({ ...led(arrow, level.items, items, x, y, left, top), level: key, index });
    });
  }
  return found;
}

// Sizes come from the inside out: a level's own open levels first.
function measure(levels, key, opened, sizes, grown) {
  const inside = new Map();
  levels[key].items.forEach((item, i) => {
    const name = String(item.group);
    if (item.group === undefined || !opened.has(item.group) || levels[name] === undefined) return;
    if (!sizes.has(name)) measure(levels, name, opened, sizes, grown);
    inside.set(i, name);
  });
  const { x, y } = insertion(levels[key], inside, sizes);
  grown.set(key, { x, y, inside });
  sizes.set(key, [x(levels[key].width) + 2 * INSET, y(levels[key].height) + HEADER + 2 * INSET]);
}

// Where x and y of a level come to lie when these of its items take up so much.
function insertion(level, inside, sizes) {
  const columns = new Map();
  const rows = [];
  for (const [i, name] of inside) {
    const item = level.items[i];
    const [w, h] = sizes.get(name);
    columns.set(item.column, Math.max(columns.get(item.column) ?? 0, w - item.w));
    rows.push([item.y + item.h, Math.max(0, h - item.h)]);
  }
  const growths = [...columns].map(([column, by]) => [level.columns[column][1], by]);
  const sum = (pairs, at) => pairs.reduce((total, [edge, by]) => (edge <= at ? total + by : total), at);
  return { x: (at) => sum(growths, at), y: (at) => sum(rows, at) };
}

// How far below the frame's top an arrow enters or leaves, by the node whose value it carries.
function ports(level, y) {
  const heights = (list) => new Map(list.map((port) => [port.source, HEADER + INSET + y(level.items[port.item].y)]));
  return [heights(level.inputs), heights(level.outputs)];
}

// An arrow whose ends and label go with its items, or with the ports of open ones, and whose way goes with the rows.
function led(arrow, closed, items, fx, fy, left, top) {
  const start = items[arrow.from];
  const end = items[arrow.to];
  const sy = start.ports?.[1].get(arrow.source) ?? arrow.sy;
  const x = left + fx(arrow.label[0]);
  let y = end.y + arrow.label[1] - closed[arrow.to].y;
  let last = [end.x + arrow.tx, end.y + arrow.ty];
  if (end.ports) {
    y = end.y + (end.ports[0].get(arrow.source) ?? arrow.ty);
    last = [end.x, y];
  }
  const via = arrow.via.map(([a, b]) => [left + fx(a), top + fy(b)]);
  via[0][1] = start.y + sy;
  via.at(-1)[1] = y;
  const points = [[start.x + start.w, start.y + sy], ...via, [x + arrow.lw / 2, y], last];
  return { ...arrow, points, label: [x, y] };
}
