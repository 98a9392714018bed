// A document that holds nothing but the page: the description stands in it as JSON.

import { stillModel } from "./model.js";

export function start(render) {
  const data = JSON.parse(document.getElementById("dout-data").textContent);
  render({ model: stillModel({ ...data, alone: true }), el: document.getElementById("dout") });
}
