// Going through the picture: forward node by node, then backward edge by edge.

const PACE = 2200; // ms that a step stays while playing

// The steps that can be seen with these folds open. What runs inside a closed fold is one step, at its end.
export function visibleSteps(description, scene, names) {
  const closed = new Set(scene.boxes.filter((box) => box.group !== undefined && !box.ghost).map((box) => box.group));
  const owner = (node) => names.groupsOf(node).filter((g) => closed.has(g)).at(-1);
  const last = new Map(); // what is stepped to -> its step, at the place of its last part
  description.steps.forEach(([way, id], order) => {
    let key, step;
    if (way === "forward") {
      const group = owner(id);
      key = group === undefined ? `node ${id}` : `group ${group}`;
      step = group === undefined ? { way, order, node: id } : { way, order, group };
    } else {
      const arrow = scene.arrowOf.get(id);
      if (!arrow) return;
      key = `arrow ${arrow.key}`;
      step = { way, order, arrow, edge: id };
    }
    last.delete(key);
    last.set(key, step);
  });
  return [...last.values()].sort((a, b) => a.order - b.order);
}

export class Steps {
  constructor(changed) {
    this.changed = changed;
    this.list = [];
    this.at = null; // null: at rest, with everything shown
    this.timer = null;
    this.order = { forward: new Map(), backward: new Map() };
  }

  // After folds have opened or closed: the same moment among the new steps.
  renew(description, scene, names) {
    const before = this.current?.order;
    this.list = visibleSteps(description, scene, names);
    if (before !== undefined) {
      const later = this.list.findIndex((step) => step.order >= before);
      this.at = later < 0 ? this.list.length - 1 : later;
    }
    this.order = { forward: new Map(), backward: new Map() };
    description.steps.forEach(([way, id], i) => this.order[way].set(id, i));
    this.groups = new Map(this.list.filter((step) => step.group !== undefined).map((step) => [step.group, step.order]));
  }

  get current() {
    return this.at === null ? null : this.list[this.at];
  }

  get playing() {
    return this.timer !== null;
  }

  reachedNode(id) {
    return this.at === null || (this.order.forward.get(id) ?? -1) <= this.current.order;
  }

  reachedEdge(id) {
    return this.at === null || (this.order.backward.get(id) ?? -1) <= this.current.order;
  }

  // A closed fold is reached with the last of what it holds.
  reachedGroup(id) {
    return this.at === null || (this.groups.get(id) ?? -1) <= this.current.order;
  }

  // Whether the way back has begun.
  get turned() {
    return this.at === null || this.current.way === "backward";
  }

  go(i) {
    if (!this.list.length) return;
    this.at = i === null ? null : Math.max(0, Math.min(this.list.length - 1, i));
    if (this.playing && this.at === this.list.length - 1) this.stop();
    this.changed();
  }

  first() {
    this.stop();
    this.go(0);
  }

  last() {
    this.stop();
    this.go(this.list.length - 1);
  }

  next() {
    this.go(this.at === null ? 0 : this.at + 1);
  }

  back() {
    this.stop();
    this.go(this.at === null ? this.list.length - 1 : this.at - 1);
  }

  rest() {
    this.stop();
    if (this.at !== null) this.go(null);
  }

  play() {
    if (this.playing) return this.stop();
    const again = this.at === null || this.at === this.list.length - 1;
    this.timer = setInterval(() => this.next(), PACE);
    this.go(again ? 0 : this.at + 1);
  }

  stop() {
    if (!this.playing) return;
    clearInterval(this.timer);
    this.timer = null;
    this.changed();
  }
}
