// Keys. In a page of its own they work everywhere; elsewhere, while the picture has the focus.

export function listenTo(page) {
  const target = page.alone ? window : page.host;
  const heard = (event) => key(page, event);
  target.addEventListener("keydown", heard);
  return () => target.removeEventListener("keydown", heard);
}

function key(page, event) {
  if (event.defaultPrevented || event.altKey || event.metaKey || event.ctrlKey) return;
  const element = event.composedPath()[0];
  const name = element.localName ?? "";
  const typing = name === "input" || name === "select" || name === "textarea";
  const pressing = typing || name === "button" || name === "summary" || element.getAttribute?.("role") === "button";
  if (event.key === "Escape") return page.escape(), event.preventDefault();
  if (typing) return undefined;
  const free = !page.alone || !pressing || page.stage.element.contains(element);
  const act = ACTIONS[event.key] ?? (free ? VIEW[event.key] : undefined) ?? (pressing ? PRESSED[event.key] : IDLE[event.key]);
  if (!act) return undefined;
  if (act(page, element) !== false) event.preventDefault();
  return undefined;
}

const ACTIONS = {
  ArrowRight: (page) => page.next(),
  ArrowLeft: (page) => page.back(),
  Home: (page) => page.steps.first(),
  End: (page) => page.steps.last(),
  ArrowDown: (page, element) => page.stage.walk(element, 1),
  ArrowUp: (page, element) => page.stage.walk(element, -1),
};

const VIEW = {
  "+": (page) => page.viewport.zoom(1.25),
  "=": (page) => page.viewport.zoom(1.25),
  "-": (page) => page.viewport.zoom(0.8),
  0: (page) => page.viewport.fit(),
  "/": (page) => page.panel.find(),
};

const IDLE = { " ": (page) => page.quiz.on || page.steps.play() };

// What has the role of a button in the picture, but isn't one to the browser.
const PRESSED = {
  Enter: (page, element) => (element.thing ? page.press(element.thing, element) : false),
  " ": (page, element) => (element.thing ? page.press(element.thing, element) : false),
};
