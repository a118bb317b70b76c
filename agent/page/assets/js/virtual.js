// A list of any length of which only the rows in sight exist. Rows have one height;
// they are made once, reused while scrolling, and told their place for readers.

const spare = 6; // rows beyond the edges

export class VirtualList {
  #box;
  #runway;
  #render;
  #items = [];
  #rows = new Map(); // by index
  #height = 0;
  #asked = 0;

  // render fills a row (an element of a list) with an item.
  constructor(box, label, render) {
    this.#box = box;
    this.#render = render;
    this.#runway = document.createElement("ul");
    this.#runway.className = "runway";
    this.#runway.setAttribute("aria-label", label);
    box.replaceChildren(this.#runway);
    box.addEventListener("scroll", () => this.#soon(), { passive: true });
    box.addEventListener("keydown", (e) => this.#move(e));
    new ResizeObserver(() => this.#soon()).observe(box);
  }

  // set shows other items; the place in the list stays, and so does the focus.
  set(items) {
    const focused = this.#focused();
    this.#items = items;
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    this.#draw();
    if (focused >= 0) this.#rows.get(Math.min(focused, items.length - 1))?.querySelector("button")?.focus({ preventScroll: true });
  }

  // focused is the index of the row with the focus, or -1.
  #focused() {
    const row = document.activeElement?.closest(".entry");
    return this.#box.contains(row) ? Number(row.dataset.index) : -1;
  }

  #soon() {
    this.#asked ||= requestAnimationFrame(() => {
      this.#asked = 0;
      this.#draw();
    });
  }

  #draw() {
    const height = this.#rowHeight();
    this.#runway.style.height = `${height * this.#items.length}px`;
    const first = Math.max(0, Math.floor(this.#box.scrollTop / height) - spare);
    const last = Math.min(this.#items.length, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / height) + spare);
    const free = [];
    for (const [index, row] of this.#rows) {
      if ((index >= first && index < last) || row.contains(document.activeElement)) continue;
      this.#rows.delete(index);
      free.push(row);
    }
    for (let index = first; index < last; index++) {
      if (!this.#rows.has(index)) this.#place(free.pop() ?? this.#fresh(), index, height);
    }
    for (const row of free) row.remove();
  }

  #fresh() {
    const row = document.createElement("li");
    row.className = "entry";
    this.#runway.append(row);
    return row;
  }

  #place(row, index, height) {
    row.style.transform = `translateY(${index * height}px)`;
    row.setAttribute("aria-setsize", this.#items.length);
    row.setAttribute("aria-posinset", index + 1);
    row.dataset.index = index;
    this.#render(row, this.#items[index]);
    this.#rows.set(index, row);
  }

  #rowHeight() {
    if (this.#height > 0) return this.#height;
    const probe = this.#fresh();
    const height = probe.getBoundingClientRect().height;
    probe.remove();
    if (height > 0) this.#height = height; // not while the list is hidden
    return height || 76;
  }

  // move goes from row to row with the arrow keys.
  #move(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    const next = Math.max(0, Math.min(this.#items.length - 1, this.#focused() + step));
    if (this.#items.length === 0) return;
    e.preventDefault();
    const height = this.#rowHeight();
    const top = next * height;
    if (top < this.#box.scrollTop) this.#box.scrollTop = top;
    if (top + height > this.#box.scrollTop + this.#box.clientHeight) this.#box.scrollTop = top + height - this.#box.clientHeight;
    this.#draw();
    this.#rows.get(next)?.querySelector("button")?.focus();
  }
}
