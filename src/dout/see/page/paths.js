// The paths by which an input reaches the output.

// The edges on such paths, and how many paths there are.
export function pathsFrom(description, names, input) {
  const ends = new Set(description.outputs.map((output) => output.node).filter((node) => node !== null));
  const { edges } = description;
  const ahead = reach([input], (node) => names.outs[node].map((e) => edges[e].to));
  const behind = reach(ends, (node) => names.ins[node].map((e) => edges[e].from));
  const on = new Set([...ahead].filter((node) => behind.has(node)));
  const held = new Set(edges.filter((edge) => on.has(edge.from) && on.has(edge.to)).map((edge) => edge.id));
  const counts = new Map();
  for (const node of [...on].sort((a, b) => b - a)) { // ids are in the order in which things ran
    let count = ends.has(node) ? 1n : 0n;
    for (const e of names.outs[node]) if (held.has(e)) count += counts.get(edges[e].to);
    counts.set(node, count);
  }
  return { nodes: on, edges: held, count: counts.get(input) ?? 0n };
}

function reach(starts, next) {
  const seen = new Set(starts);
  const waiting = [...seen];
  while (waiting.length) {
    for (const node of next(waiting.pop())) {
      if (seen.has(node)) continue;
      seen.add(node);
      waiting.push(node);
    }
  }
  return seen;
}
