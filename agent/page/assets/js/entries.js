// The list of entries with search and filter, newest first.

import { by, el, short } from "./dom.js";
import { day, detail, headline, money, plural, shortKey } from "./text.js";
import { VirtualList } from "./virtual.js";

const filters = ["filter-text", "filter-member", "filter-category", "filter-deleted"];

export class EntryList {
  #room = null;
  #list;
  #words = new WeakMap(); // what the search looks in, by entry
  #empty = el("p", { class: "empty" });

  constructor(open) {
    this.#list = new VirtualList(by("entries"), "Entries, newest first", (row, entry) => renderRow(row, entry, open));
    by("entries").append(this.#empty);
    by("filter-text").addEventListener("input", () => this.filter());
    for (const id of filters.slice(1)) by(id).addEventListener("change", () => this.filter());
  }

  // set shows a room.
  set(room) {
    this.#room = room;
    const current = [...room.entries.values()];
    options(by("filter-member"), "everybody", room.members);
    options(by("filter-category"), "all categories", [...new Set(current.map((e) => e.category).filter(Boolean))].sort());
    this.filter();
  }

  filter() {
    if (!this.#room) return;
    const text = by("filter-text").value.trim().toLowerCase();
    const member = by("filter-member").value;
    const category = by("filter-category").value;
    const gone = by("filter-deleted").checked;
    const all = [...this.#room.entries.values()];
    const found = all.filter(
      (e) =>
        (gone || !e.state) &&
        (category === "" || e.category === category) &&
        (member === "" || involves(e, member)) &&
        (text === "" || this.#searched(e).includes(text)),
    );
    this.#list.set(found.reverse());
    this.#tell(found.length, all.filter((e) => gone || !e.state).length);
  }

  #tell(found, all) {
    const cut = this.#room.cut ? ", the newest of the room" : "";
    by("entries-count").textContent = found === all ? `${plural(all, "entry", "entries")}${cut}` : `${found} of ${plural(all, "entry", "entries")}${cut}`;
    this.#empty.textContent = all === 0 ? "Nothing here yet." : "Nothing fits this search.";
    this.#empty.hidden = found > 0;
  }

  #searched(e) {
    let words = this.#words.get(e);
    if (words === undefined) {
      words = [e.note, e.category, e.amount, e.currency, e.date, e.from, e.to, ...e.tags, ...e.payers.map((p) => p.member), ...e.split]
        .filter(Boolean)
        .join("\n")
        .toLowerCase();
      this.#words.set(e, words);
    }
    return words;
  }
}

function involves(e, member) {
  const is = (p) => p.member === member;
  return e.payers.some(is) || e.shares.some(is) || e.from === member || e.to === member || (e.payments ?? []).some((p) => p.from === member || p.to === member);
}

// options keeps what is chosen, if it is still there.
function options(select, all, values) {
  const chosen = select.value;
  select.replaceChildren(el("option", { value: "" }, all), ...values.slice(0, 500).map((v) => el("option", { value: v }, short(v, 40))));
  select.value = values.includes(chosen) ? chosen : "";
}

function renderRow(row, e, open) {
  row.classList.toggle("gone", Boolean(e.state) && e.state !== "closed");
  const button = el(
    "button",
    { type: "button" },
    el("span", { class: "what" }, short(headline(e), 120)),
    el("span", { class: "sum money" }, e.amount ? money(e.amount, e.currency) : ""),
    el("span", { class: "small parts" }, short(detail(e), 240)),
    el("span", { class: "small" }, `by ${shortKey(e.by)}${e.category && e.note ? ` · ${short(e.category, 40)}` : ""}`),
    el("span", { class: "small sum" }, ...marks(e), day(e)),
  );
  button.addEventListener("click", () => open(e));
  row.replaceChildren(button);
}

function marks(e) {
  const list = [];
  if (e.conflict?.length > 0) list.push("conflict");
  if (e.state) list.push(e.state);
  if (e.kind === "unsupported") list.push("does not count");
  return list.flatMap((mark) => [el("b", { class: "tag" }, mark), " "]);
}
