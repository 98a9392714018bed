// Formulas come as MathML. They are copied element by element, only what is known to be mathematics.

const MATH = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(("math mrow mi mo mn mtext mspace mfrac msqrt mroot msup msub msubsup mover munder munderover " +
  "mtable mtr mtd mstyle mpadded mphantom").split(" "));
const ATTRIBUTES = new Set(("display stretchy fence form lspace rspace linethickness mathvariant columnalign rowspacing " +
  "columnspacing width height depth minsize maxsize separator accent").split(" "));

// An element, or null where the text is no MathML.
export function mathOf(markup) {
  if (!markup) return null;
  const parsed = new DOMParser().parseFromString(markup, "application/xml");
  if (parsed.querySelector("parsererror") || parsed.documentElement.localName !== "math") return null;
  return copied(parsed.documentElement);
}

function copied(source) {
  const element = document.createElementNS(MATH, ELEMENTS.has(source.localName) ? source.localName : "mrow");
  for (const { name, value } of source.attributes) if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
  for (const child of source.childNodes) {
    if (child.nodeType === 1) element.append(copied(child));
    else if (child.nodeType === 3) element.append(document.createTextNode(child.data));
  }
  return element;
}
