// In a notebook with a theme of its own the page is as dark as what is around it, whatever the screen's setting is.

export function themed(host) {
  const look = () => {
    const dark = isDark(host);
    if (dark === null) host.removeAttribute("data-theme");
    else host.dataset.theme = dark ? "dark" : "light";
  };
  const observer = new MutationObserver(look);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  look();
  return () => observer.disconnect();
}

// By the first ground behind it that isn't clear; null where there is none.
function isDark(host) {
  for (let element = host.parentElement; element; element = element.parentElement ?? element.getRootNode().host) {
    const [r, g, b, a] = rgba(getComputedStyle(element).backgroundColor);
    if (a > 128) return 0.299 * r + 0.587 * g + 0.114 * b < 128;
  }
  return null;
}

// A colour as it is painted: browsers also write it as `color(srgb 1 1 1)`, as marimo's are, or `oklch(...)`.
function rgba(colour) {
  if (/^rgba\((\d+, ){3}0\)$/.test(colour)) return [0, 0, 0, 0];
  const paper = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  paper.fillStyle = colour;
  paper.fillRect(0, 0, 1, 1);
  return paper.getImageData(0, 0, 1, 1).data;
}
