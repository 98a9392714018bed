// Sentences whose parts look different: lists of strings, elements, and {text, as}, where `as` is a class.

import { html } from "./dom.js";

export const as = (text, kind) => ({ text, as: kind });

// As elements; a name keeps its direction of writing to itself.
export function shownAs(part) {
  if (part === null || part === undefined || part === false) return [];
  if (Array.isArray(part)) return part.flatMap(shownAs);
  if (typeof part !== "object" || part instanceof Node) return [part];
  return [html(part.as === "name" ? "bdi" : "span", { class: part.as }, part.text)];
}

// As one string.
export function textOf(part) {
  if (part === null || part === undefined || part === false) return "";
  if (Array.isArray(part)) return part.map(textOf).join("");
  if (typeof part !== "object") return String(part);
  return part instanceof Node ? part.textContent : part.text;
}
