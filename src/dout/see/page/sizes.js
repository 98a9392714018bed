// How thick derivatives are drawn: by the power of ten. svg_reach.py does the same.

import { sizeOf } from "./numbers.js";

const THIN = 0.8;
const THICK = 6.5;
const DECADES = 12; // what is smaller than the largest by more than this is drawn as thin as can be

export class Sizes {
  constructor(derivatives) {
    const powers = derivatives.map(sizeOf).filter((m) => m && Number.isFinite(m)).map(Math.log10);
    this.high = Math.ceil(Math.max(...(powers.length ? powers : [0])) - 1e-9);
    this.low = Math.max(Math.floor(Math.min(...(powers.length ? powers : [0])) + 1e-9), this.high - DECADES);
    if (this.low === this.high) this.low -= 1;
    this.zeros = derivatives.some((d) => sizeOf(d) === 0);
  }

  // Of the line that carries this derivative; 0 for one that is 0 all over.
  thickness(value) {
    const size = sizeOf(value);
    if (size === null || !Number.isFinite(size)) return size === null ? 1.5 : THICK;
    return size ? this.at(Math.log10(size)) : 0;
  }

  at(power) {
    const share = (Math.min(Math.max(power, this.low), this.high) - this.low) / (this.high - this.low);
    return THIN + (THICK - THIN) * share;
  }

  // The powers of ten in the legend.
  marks() {
    const step = Math.max(1, Math.ceil((this.high - this.low) / 4));
    const out = [];
    for (let power = this.high; power >= this.low; power -= step) out.push(power);
    return out;
  }
}

export function powerText(power) {
  return power >= -1 && power <= 2 ? String(10 ** power) : `1e${power}`.replace("-", "−");
}
