// Zoom and pan: the picture is moved and scaled as a whole.

const FAR = 0.05;
const NEAR = 4;
const LARGEST = 1.5; // a small picture isn't blown up further than this when it is fitted
const READABLE = 0.62; // a large one starts at this scale rather than too small to read

export class Viewport {
  constructor(stage, world, { moved = () => {} } = {}) {
    this.stage = stage;
    this.world = world;
    this.moved = moved;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.size = { width: 1, height: 1 };
    this.touched = false; // whether the reader has moved it; until then it follows the room that there is
    this.pointers = new Map();
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.up(event));
    this.observer = new ResizeObserver(() => this.touched || this.open());
    this.observer.observe(stage);
  }

  get room() {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  apply() {
    this.world.setAttribute("transform", `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`);
    this.moved();
  }

  // The whole picture in the middle.
  fit(least = FAR) {
    const { width, height } = this.room;
    const whole = Math.min(LARGEST, (width - 48) / this.size.width, (height - 72) / this.size.height);
    this.scale = Math.max(whole, least, FAR);
    const spare = width - this.size.width * this.scale;
    this.x = spare >= 0 ? spare / 2 : 24;
    this.y = Math.max(40, (height - this.size.height * this.scale) / 2 + 8);
    if (this.size.height * this.scale > height - 48) this.y = whole < least ? (height - this.size.height * this.scale) / 2 : 40;
    this.touched = false;
    this.apply();
  }

  // How it first stands: whole if that can be read, else from the inputs on.
  open() {
    this.fit(READABLE);
  }

  zoom(by, at = { x: this.room.width / 2, y: this.room.height / 2 }) {
    const scale = Math.min(NEAR, Math.max(FAR, this.scale * by));
    const ratio = scale / this.scale;
    this.x = at.x - (at.x - this.x) * ratio;
    this.y = at.y - (at.y - this.y) * ratio;
    this.scale = scale;
    this.touched = true;
    this.apply();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.touched = true;
    this.apply();
  }

  // Brings a box of the picture into sight; moves only as far as needed, or to the middle.
  show(box, middle = false) {
    const { width, height } = this.room;
    const left = box.x * this.scale + this.x;
    const top = box.y * this.scale + this.y;
    const w = (box.w ?? 0) * this.scale;
    const h = (box.h ?? 0) * this.scale;
    const edge = 56;
    const seen = left >= edge / 2 && top >= edge / 2 && left + w <= width - edge / 2 && top + h <= height - edge / 2;
    if (seen && !middle) return;
    this.x += middle || w > width - 2 * edge ? width / 2 - left - w / 2 : nearest(left, w, width, edge);
    this.y += middle || h > height - 2 * edge ? height / 2 - top - h / 2 : nearest(top, h, height, edge);
    this.touched = true;
    this.apply();
  }

  point(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022)), this.point(event));
  }

  down(event) {
    if (event.button !== 0 || event.target.closest?.("button")) return;
    this.pointers.set(event.pointerId, this.point(event));
    this.dragged = 0;
  }

  // One finger or the mouse drags; two fingers pinch.
  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.point(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.zoom(distance(now, other) / Math.max(1, distance(before, other)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    else {
      this.dragged += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      if (this.dragged < 4) return;
      if (!this.stage.hasPointerCapture(event.pointerId)) this.stage.setPointerCapture(event.pointerId);
      this.stage.classList.add("dragging");
      this.pan(now.x - before.x, now.y - before.y);
    }
    this.pointers.set(event.pointerId, now);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    this.stage.classList.remove("dragging");
  }

  close() {
    this.observer.disconnect();
  }
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

function nearest(start, length, room, edge) {
  if (start < edge) return edge - start;
  if (start + length > room - edge) return room - edge - start - length;
  return 0;
}
