// A list that may be very long: a few rows are shown, a search finds the others. Ten thousand items cost a sort, not rows.

import { countText } from "./amounts.js";
import { element, setText, show } from "./element.js";

/** Fewer on a phone, where the other parts of the page are below the list. */
const AT_FIRST = matchMedia("(min-width: 56rem)").matches ? 10 : 6;
const MORE = 50;

export class LongList {
  #items = [];
  #wanted = AT_FIRST;
  #rows = new Map();

  /** `name` gives an item's own name; `order` compares two; `makeRow` makes `{ node, update(item) }`. */
  constructor(section, { title, name, order, makeRow }) {
    Object.assign(this, { section, name, order, makeRow });
    this.summary = element("p", { class: "summary" });
    this.search = element("input", { type: "search", placeholder: "Find by name", "aria-label": `Find in ${title}` });
    this.list = element("ul", { class: "rows" });
    this.none = element("p", { class: "quiet", hidden: true }, "None has that in its name.");
    this.more = element("button", { type: "button", class: "link", hidden: true });
    this.search.addEventListener("input", () => this.#draw());
    this.more.addEventListener("click", () => {
      this.#wanted += MORE;
      this.#draw();
    });
    const head = element("div", { class: "card-head" }, element("h2", {}, title), this.summary, this.search);
    section.append(head, this.list, this.none, this.more);
  }

  show(items, summary) {
    show(this.section, items.length > 0);
    show(this.search, items.length > AT_FIRST);
    setText(this.summary, summary);
    this.#items = items.toSorted(this.order);
    this.#draw();
  }

  #draw() {
    const wanted = this.search.value.trim().toLowerCase();
    const found = wanted === "" ? this.#items : this.#items.filter((item) => this.name(item).toLowerCase().includes(wanted));
    const shown = found.slice(0, this.#wanted);
    const kept = new Map();
    for (const item of shown) {
      const name = this.name(item);
      const row = this.#rows.get(name) ?? this.makeRow(item);
      row.update(item);
      kept.set(name, row);
    }
    this.#rows = kept;
    const nodes = [...kept.values()].map((row) => row.node);
    const isSame = nodes.length === this.list.children.length && nodes.every((node, at) => this.list.children[at] === node);
    if (!isSame) this.list.replaceChildren(...nodes);
    show(this.none, found.length === 0 && this.#items.length > 0);
    show(this.more, found.length > shown.length);
    setText(this.more, `Show more of the other ${countText(found.length - shown.length)}`);
  }
}
