// Elements made by hand. Text goes in as text and never as markup, so nothing in a name can run.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  put(element, ...children);
  return element;
}

// Children are elements, strings, or lists of them; null is left out.
export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

// Marks that turn the text around them are dropped (a name is isolated as a whole); control characters get pictures.
export function clean(text) {
  return String(text ?? "")
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u2028\u2029\ufffe\uffff]/g, "\ufffd");
}

export function html(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

export function replace(element, ...children) {
  element.replaceChildren();
  return put(element, ...children);
}

// A button that is told apart by its drawing; what it does is said in words to those who can't see it.
export function button(label, shape, action, attributes = {}) {
  const icon = svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, svg("path", { d: shape }));
  return html("button", { type: "button", "aria-label": label, title: label, click: action, ...attributes }, icon);
}
