// Groups whose inside is not in the file: of what happens there only some nodes are known, and not which feeds which. So such a
// group is taken as a whole: what moves one of its inputs may move all that comes out of it.

// The groups that inputs reach, by the ids of both.
export function groupsReached(plans, ids) {
  const groups = new Set();
  for (let size = -1; size !== groups.size; ) {
    size = groups.size;
    const reached = new Set(ids);
    for (const { id, inputs, away } of plans) {
      if (!reached.has(id) && !groups.has(away) && !inputs.some((k) => reached.has(k))) continue;
      reached.add(id);
      if (away !== null) groups.add(away);
    }
  }
  return groups;
}

// The groups from which other derivatives may leave: one of their values moved, or something did that is made of them.
export function groupsUnsettled(plans, moved) {
  const groups = new Set();
  for (let size = -1; size !== groups.size; ) {
    size = groups.size;
    const unsettled = new Set();
    for (let i = plans.length - 1; i >= 0; i -= 1) {
      const { id, inputs, away } = plans[i];
      const is = unsettled.has(id) || moved[id] || groups.has(away) || inputs.some((k) => moved[k]);
      if (!is) continue;
      for (const k of inputs) unsettled.add(k);
      if (away !== null) groups.add(away);
    }
  }
  return groups;
}
