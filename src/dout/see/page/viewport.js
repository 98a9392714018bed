// Zoom and pan: the picture is moved and scaled as a whole.

const FAR = 0.05;
const NEAR = 4;
const LARGEST = 1.5; // a small picture isn't blown up further than this when it is fitted
const READABLE = 0.7; // a large one that wouldn't fit at this scale starts at its inputs, at its own size
const GLIDE = 260; // ms

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
    this.frame = 0;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.up(event));
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(stage);
    this.print = () => this.onPaper();
    this.printed = () => this.onScreen();
    window.addEventListener("beforeprint", this.print);
    window.addEventListener("afterprint", this.printed);
  }

  // Follows the room that there is, but not every line that the explanation below is longer.
  resized() {
    const { width, height } = this.room;
    const far = !this.last || Math.abs(width - this.last.width) > 2 || Math.abs(height - this.last.height) > 60;
    if (!far) return;
    this.last = { width, height };
    if (!this.touched) this.open();
  }

  get room() {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  apply() {
    this.world.setAttribute("transform", `translate(${this.x.toFixed(2)} ${this.y.toFixed(2)}) scale(${this.scale.toFixed(4)})`);
    this.moved();
  }

  // The whole picture in the middle.
  fit() {
    const { width, height } = this.room;
    this.set(this.whole, (width - this.size.width * this.whole) / 2, Math.max(36, (height - this.size.height * this.whole) / 2 + 8));
    this.touched = false;
  }

  get whole() {
    const { width, height } = this.room;
    return Math.max(FAR, Math.min(LARGEST, (width - 40) / this.size.width, (height - 64) / this.size.height));
  }

  // How it first stands: whole if that can be read, else from the inputs on.
  open() {
    if (this.whole >= READABLE) return this.fit();
    const { width, height } = this.room;
    const [wide, tall] = [this.size.width > width, this.size.height > height - 44];
    this.set(1, wide ? 20 : (width - this.size.width) / 2, tall ? 40 : (height - this.size.height) / 2 + 8);
    this.touched = false;
  }

  set(scale, x, y) {
    cancelAnimationFrame(this.frame);
    Object.assign(this, { scale, x, y });
    this.apply();
  }

  // Moves there in a moment, for the eye to follow; at once for those who don't want motion.
  glide(x, y) {
    cancelAnimationFrame(this.frame);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.set(this.scale, x, y);
    const [x0, y0, start] = [this.x, this.y, performance.now()];
    const go = (now) => {
      const share = Math.min(1, Math.max(0, (now - start) / GLIDE));
      const eased = 1 - (1 - share) ** 3;
      [this.x, this.y] = [x0 + (x - x0) * eased, y0 + (y - y0) * eased];
      this.apply();
      if (share < 1) this.frame = requestAnimationFrame(go);
    };
    this.frame = requestAnimationFrame(go);
    return undefined;
  }

  zoom(by, at = { x: this.room.width / 2, y: this.room.height / 2 }) {
    const scale = Math.min(NEAR, Math.max(FAR, this.scale * by));
    const ratio = scale / this.scale;
    cancelAnimationFrame(this.frame);
    this.x = at.x - (at.x - this.x) * ratio;
    this.y = at.y - (at.y - this.y) * ratio;
    this.scale = scale;
    this.touched = true;
    this.apply();
  }

  pan(dx, dy) {
    cancelAnimationFrame(this.frame);
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
    const dx = middle ? width / 2 - left - w / 2 : w > width - 2 * edge ? edge - left : nearest(left, w, width, edge);
    const dy = middle ? height / 2 - top - h / 2 : h > height - 2 * edge ? edge - top : nearest(top, h, height, edge);
    this.touched = true;
    this.glide(this.x + dx, this.y + dy);
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

  // On paper the whole picture, as large as the page is wide.
  onPaper() {
    const { width, height } = this.size;
    this.world.removeAttribute("transform");
    this.world.ownerSVGElement.setAttribute("viewBox", `-16 -16 ${width + 32} ${height + 32}`);
  }

  onScreen() {
    this.world.ownerSVGElement.removeAttribute("viewBox");
    this.apply();
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    window.removeEventListener("beforeprint", this.print);
    window.removeEventListener("afterprint", this.printed);
  }
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

function nearest(start, length, room, edge) {
  if (start < edge) return edge - start;
  if (start + length > room - edge) return room - edge - start - length;
  return 0;
}
