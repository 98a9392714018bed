// Finding things by name or operation, also within closed folds, which then open.

import { html } from "./dom.js";

export class Search {
  constructor(page) {
    const { say } = page;
    this.page = page;
    this.hits = [];
    this.at = -1;
    this.field = html("input", { type: "search", placeholder: say("page.search.hint"), "aria-label": say("page.search"), autocomplete: "off", spellcheck: "false",
      input: () => this.look(this.field.value), keydown: (event) => this.key(event) });
    this.count = html("span", { class: "found-count", role: "status" });
    this.element = html("div", { class: "search" }, this.field, this.count);
  }

  key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.go(event.shiftKey ? -1 : 1);
    }
    if (event.key === "Escape" && this.field.value) {
      event.stopPropagation();
      this.field.value = "";
      this.look("");
    }
  }

  look(text) {
    const wanted = text.trim().toLowerCase();
    const { nodes, groups } = this.page.description;
    const has = (...texts) => texts.some((t) => t && String(t).toLowerCase().includes(wanted));
    this.at = -1;
    this.hits = wanted === "" ? [] : [
      ...groups.filter((group) => has(group.name)).map((group) => ({ group: group.id })),
      ...nodes.filter((node) => has(node.name, node.op, node.sign) && this.canShow(node.group)).map((node) => ({ node: node.id })),
    ];
    this.count.textContent = wanted === "" ? "" : this.page.say("page.search.count", { n: this.hits.length });
    this.page.mark();
  }

  canShow(group) {
    for (let g = group; g !== null && g !== undefined; g = this.page.description.groups[g].parent) {
      if (this.page.description.levels[String(g)] === undefined) return false;
    }
    return true;
  }

  go(by) {
    if (!this.hits.length) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : this.hits.length - 1) : (this.at + by + this.hits.length) % this.hits.length;
    this.count.textContent = this.page.say("page.search.of", { i: this.at + 1, n: this.hits.length });
    this.page.goTo(this.hits[this.at]);
  }

  isFound(box) {
    const hit = this.hits[this.at];
    return hit !== undefined && (hit.node !== undefined ? hit.node === box.node : box.group !== undefined && hit.group === box.group);
  }
}
