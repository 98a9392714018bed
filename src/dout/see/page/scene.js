// What is to be drawn: the levels of a description with the open folds set into one another.

import { place } from "./placement.js";

// Boxes (closed), frames (open folds) and arrows, each with a key that says which it is.
export function sceneOf(description, opened) {
  const { width, height, items, frames, arrows } = place(description.levels, opened);
  for (const arrow of arrows) {
    const level = description.levels[arrow.level];
    arrow.key = `${arrow.level}/${arrow.index}`;
    arrow.start = level.items[arrow.from];
    arrow.end = level.items[arrow.to];
    arrow.value ??= description.nodes[arrow.source].value;
    if (arrow.derivative === undefined) arrow.derivative = carried(description, arrow);
  }
  // The arrow that stands for an edge: the innermost that says something. Where derivatives meet, those within a layer
  // whose own backward gives something else don't count: what arrives is by that one's account.
  const [arrowOf, meets] = [new Map(), new Map()];
  for (const arrow of arrows) {
    const maps = disagrees(description, arrow.level) ? [arrowOf] : [arrowOf, meets];
    for (const map of maps) for (const edge of arrow.edges) if (!arrow.bare || !map.has(edge)) map.set(edge, arrow);
  }
  return { width, height, frames, arrows, arrowOf, meets, boxes: items.filter((item) => item.port === undefined || item.output !== undefined) };
}

function disagrees({ groups }, level) {
  for (let g = level === "top" ? null : Number(level); g !== null && g !== undefined; g = groups[g].parent) if (groups[g].agree === false) return true;
  return false;
}

// What isn't said of an arrow is as its edge or its output has it.
function carried(description, { edges, output }) {
  if (edges.length) return edges.length === 1 ? description.edges[edges[0]].derivative : null;
  return output === undefined ? null : description.outputs[output].derivative ?? null;
}

// The folds that start open, by the description; one within a closed one doesn't count until that is opened.
export function startsOpen(description) {
  return new Set(description.groups.filter((group) => group.open && canOpen(description, group.id)).map((group) => group.id));
}

export function canOpen(description, group) {
  return description.levels[String(group)] !== undefined;
}

export function within(description, inner, outer) {
  let group = inner;
  while (group !== null && group !== undefined && group !== outer) group = description.groups[group].parent;
  return group === outer;
}
