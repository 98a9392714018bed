// A document that holds nothing but the page: the description stands in it as JSON, packed if it is large.

import { stillModel } from "./model.js";

export async function start(render) {
  const kept = JSON.parse(document.getElementById("dout-data").textContent);
  const data = kept.packed === undefined ? kept : await unpacked(kept.packed);
  render({ model: stillModel({ ...data, alone: true }), el: document.getElementById("dout") });
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}
