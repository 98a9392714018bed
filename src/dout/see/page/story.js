// Below the picture: one line that explains what is lit, and the buttons to go on.

import { button, html, replace } from "./dom.js";
import { shownAs, textOf } from "./pieces.js";

const SHAPES = {
  first: "M6 5v14M19 5l-9 7 9 7z",
  back: "M16 5l-9 7 9 7z",
  play: "M8 4.5l11 7.5-11 7.5z",
  pause: "M8 5v14M16 5v14",
  next: "M8 5l9 7-9 7z",
  last: "M18 5v14M5 5l9 7-9 7z",
};

export class Story {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.kicker = html("p", { class: "kicker" });
    this.line = html("p", { class: "line" });
    this.more = html("div", { class: "more" });
    this.text = html("div", { class: "text" }, this.kicker, this.line, this.more);
    this.play = button(say("page.play"), SHAPES.play, () => page.steps.play(), { class: "play" });
    this.range = html("input", { type: "range", min: 0, step: 1, class: "scrub", "aria-label": say("page.position"), input: () => this.scrub() });
    this.count = html("span", { class: "count", "aria-hidden": "true" });
    this.buttons = {
      first: button(say("page.first"), SHAPES.first, () => page.steps.first()),
      back: button(say("page.back"), SHAPES.back, () => page.back()),
      next: button(say("page.next"), SHAPES.next, () => page.next()),
      last: button(say("page.last"), SHAPES.last, () => page.steps.last()),
    };
    const { first, back, next, last } = this.buttons;
    this.all = html("button", { type: "button", class: "link", click: () => page.steps.rest() }, say("page.all"));
    this.transport = html("div", { class: "transport", role: "group", "aria-label": say("page.steps") },
      first, back, this.play, next, last, this.range, this.count, this.all);
    this.live = html("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.element = html("section", { class: "story", "aria-label": say("page.explanation") }, this.text, this.transport, this.live);
  }

  scrub() {
    const i = Number(this.range.value) - 1;
    this.page.steps.stop();
    this.page.steps.go(i < 0 ? null : i);
  }

  update() {
    const { page } = this;
    const { steps, say } = page;
    const n = steps.list.length;
    this.transport.hidden = n === 0;
    this.range.max = n;
    this.range.value = steps.at === null ? 0 : steps.at + 1;
    this.range.setAttribute("aria-valuetext", steps.at === null ? say("page.all.shown") : say("page.step.of", { i: steps.at + 1, n }));
    this.range.style.setProperty("--done", `${(100 * Number(this.range.value)) / Math.max(n, 1)}%`);
    const forward = steps.list.filter((step) => step.way === "forward").length;
    this.range.style.setProperty("--turn", `${(100 * forward) / Math.max(n, 1)}%`);
    this.count.textContent = `${steps.at === null ? "–" : steps.at + 1} / ${n}`;
    this.buttons.first.disabled = this.buttons.back.disabled = steps.at === 0;
    this.buttons.next.disabled = this.buttons.last.disabled = steps.at === n - 1;
    this.all.hidden = steps.at === null;
    this.play.setAttribute("aria-label", say(steps.playing ? "page.pause" : "page.play"));
    this.play.title = this.play.getAttribute("aria-label");
    this.play.querySelector("path").setAttribute("d", steps.playing ? SHAPES.pause : SHAPES.play);
    this.play.classList.toggle("on", steps.playing);
    if (page.quiz.on) return page.quiz.show(this);
    this.tell(page.telling.told());
  }

  // Shows an explanation; what is read aloud is the same in one string, and only where it is another than before.
  tell({ kicker = "", way = "", line = null, product = null, aside = null, math = null, symbols = "", notes = [], meet = null, said = null }) {
    this.element.dataset.way = way;
    replace(this.kicker, shownAs(kicker));
    replace(this.line, product ? productOf(product, this.page.say) : shownAs(line ?? []));
    this.line.classList.toggle("long", textOf(line ?? "").length > 64);
    replace(this.more,
      math && html("p", { class: "math" }, math, symbols && html("small", {}, symbols)),
      math && notes.length > 0 && html("p", { class: "small" }, notes.join(" ")),
      meet && html("p", { class: "meet" }, shownAs(meet)),
      aside && html("p", { class: "aside" }, shownAs(aside)));
    const spoken = said ?? [kicker, product ? product.map(textOf).join(" ") : textOf(line ?? ""), meet && textOf(meet), aside && textOf(aside)];
    this.announce([spoken].flat().filter(Boolean).join(". "));
  }

  announce(text) {
    if (this.live.textContent !== text && this.page.started) this.live.textContent = text;
  }
}

// 1.1 × 2 = 2.2, each number with what it is below it.
function productOf(product, say) {
  return html("span", { class: "product" }, product.map((part) => (typeof part === "string"
    ? html("span", { class: "times" }, part)
    : html("span", { class: `factor ${part.as}` }, html("b", {}, part.text), html("small", {}, say(`page.${part.as}`))))));
}
