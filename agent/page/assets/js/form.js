// The form that adds an expense or edits one: every value goes to the peer's own
// dry run while it is typed, so what is shown is what would be recorded.

import { by, el, later, said, short, words } from "./dom.js";
import { isZero, money } from "./text.js";

const form = by("add-form");
const field = (name) => form.elements[name];
const fields = ["amount", "currency", "payer", "split", "mode", "date", "category", "note"];

export class ExpenseForm {
  #room = null;
  #editing = null;
  #asked = 0; // answers to older questions are dropped
  #key = ""; // of what the form says now: sent twice, it is recorded once

  // added is called with what was recorded.
  constructor(added) {
    const preview = later(200, () => this.#preview());
    form.addEventListener("input", () => {
      this.#key = "";
      preview();
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#submit(added);
    });
    by("add-cancel").addEventListener("click", () => this.#reset());
    by("split-chips").addEventListener("click", (e) => {
      const chip = e.target.closest("button");
      if (!chip) return;
      this.#toggle(chip.value);
      this.#key = "";
      preview();
    });
    form.addEventListener("input", () => this.#chips());
  }

  // set tells the form whose room it writes to.
  set(room) {
    if (this.#room?.channel !== room.channel) this.#reset();
    this.#room = room;
    const all = [...room.entries.values()];
    suggest("members", room.members);
    suggest("currencies", [...new Set(all.map((e) => e.currency).filter(Boolean))]);
    suggest("categories", [...new Set(all.map((e) => e.category).filter(Boolean))]);
    this.#chips();
  }

  // edit fills the form with an entry.
  edit(entry) {
    this.#reset();
    this.#editing = entry;
    const list = (parts, value) => parts.map((p) => `${p.member}:${p[value]}`).join(",");
    const values = {
      amount: entry.amount,
      currency: entry.currency,
      payer: entry.payer ?? list(entry.payers, "amount"),
      split: entry.values ? list(entry.values, "value") : entry.split.join(","),
      mode: entry.mode,
      date: entry.date ?? "",
      category: entry.category ?? "",
      note: entry.note,
    };
    for (const name of fields) field(name).value = values[name];
    by("add-title").textContent = "Change the expense";
    by("add").textContent = "Save";
    by("add-cancel").hidden = false;
    this.#chips();
    field("amount").focus();
    this.#preview();
  }

  #reset() {
    form.reset();
    this.#editing = null;
    this.#key = "";
    by("add-title").textContent = "Add an expense";
    by("add").textContent = "Add";
    by("add-cancel").hidden = true;
    by("preview").replaceChildren();
    mark(null);
    this.#chips();
  }

  // params are what the form says. Payers and values are the peer's to read: what
  // has a colon is a list with amounts.
  #params() {
    const value = (name) => field(name).value.trim();
    const params = { amount: value("amount"), split: value("split"), mode: value("mode") };
    params[/[:,]/.test(value("payer")) ? "payers" : "payer"] = value("payer");
    for (const name of ["date", "category", "note"]) {
      if (value(name) !== "" || this.#editing) params[name] = value(name);
    }
    if (value("currency") !== "") params.currency = value("currency");
    if (this.#editing) params.id = this.#editing.id;
    return params;
  }

  #ask(extra) {
    return this.#room.ask(this.#editing ? "expense_edit" : "expense_add", { ...this.#params(), ...extra });
  }

  async #preview() {
    const asked = ++this.#asked;
    const { amount, split, payer, payers } = this.#params();
    if (!this.#room || amount === "" || split === "" || (payer ?? payers) === "") {
      by("preview").replaceChildren();
      mark(null);
      return;
    }
    try {
      const { entry } = await this.#ask({ dry_run: true });
      if (asked !== this.#asked) return;
      by("preview").replaceChildren(...preview(entry));
      mark(null);
    } catch (error) {
      if (asked !== this.#asked) return;
      by("preview").replaceChildren();
      mark(error);
    }
  }

  async #submit(added) {
    this.#asked++;
    const button = by("add");
    button.disabled = true;
    try {
      this.#key ||= crypto.randomUUID();
      const result = await this.#ask({ key: this.#key });
      this.#reset();
      added(result);
      field("amount").focus();
    } catch (error) {
      mark(error);
    } finally {
      button.disabled = false;
    }
  }

  #split() {
    return field("split").value.split(",").map((s) => s.trim()).filter(Boolean);
  }

  #toggle(member) {
    const names = this.#split();
    const at = names.findIndex((n) => n.split(":")[0].trim().toLowerCase() === member);
    if (at >= 0) names.splice(at, 1);
    else names.push(member);
    field("split").value = names.join(",");
    this.#chips();
  }

  #chips() {
    const chosen = new Set(this.#split().map((n) => n.split(":")[0].trim().toLowerCase()));
    const members = (this.#room?.members ?? []).filter((m) => !/[:,]/.test(m)).slice(0, 24);
    by("split-chips").replaceChildren(
      ...members.map((m) => el("button", { type: "button", value: m, "aria-pressed": String(chosen.has(m)) }, short(m, 30))),
    );
  }
}

function suggest(id, values) {
  by(id).replaceChildren(...values.slice(0, 100).map((v) => el("option", { value: v })));
}

// preview shows each share, and who bears the unit that does not divide.
function preview(entry) {
  const rows = entry.shares.map((p) => el("li", null, said(p.member, 60), " ", el("span", { class: "money" }, money(p.amount, entry.currency))));
  const list = [el("ul", { class: "plain" }, ...rows)];
  const left = leftOver(entry);
  if (left) list.push(el("p", { class: "note" }, left));
  return list;
}

function leftOver({ mode, shares, currency }) {
  const different = [...new Set(shares.map((p) => p.amount))];
  if (mode !== "equal" || different.length !== 2) return "";
  const less = shares.filter((p) => p.amount === different[1]).length;
  const many = shares.length - less;
  const [few, amount] = many <= less ? [shares.filter((p) => p.amount === different[0]), different[0]] : [shares.filter((p) => p.amount === different[1]), different[1]];
  if (isZero(amount)) return "";
  const who = few.slice(0, 5).map((p) => short(p.member, 30)).join(", ") + (few.length > 5 ? ` and ${few.length - 5} more` : "");
  return `It does not divide evenly: ${who} ${few.length === 1 ? "bears" : "bear"} ${money(amount, currency)}.`;
}

// Which field an error is about: the peer names it first, or names what it holds.
const about = [
  ["amount", /^(parameter "amount"|amount|the payers|both)/],
  ["payer", /^(parameter "payers?"|payers?\b|nobody paid|who paid)/],
  ["split", /^(parameter "split"|split|share|shares|percent|nobody|the shares|the percent|member)/],
  ["currency", /currenc/],
  ["date", /\b(date|day)\b/],
  ["category", /categor/],
  ["note", /\bnote\b/],
];

// mark shows an error beside the field it is about, or takes it away.
function mark(error) {
  for (const node of form.querySelectorAll(".fields .error")) node.remove();
  for (const name of fields) {
    field(name).removeAttribute("aria-invalid");
    field(name).removeAttribute("aria-describedby");
  }
  const whole = form.querySelector('[data-error="form"]');
  whole.hidden = true;
  if (!error) return;
  const name = about.find(([, says]) => says.test(error.message))?.[0];
  if (!name) {
    whole.textContent = words(error);
    whole.hidden = false;
    return;
  }
  const note = el("p", { class: "error", id: `error-${name}`, role: "alert" }, words(error));
  field(name).closest("[data-field]").append(note);
  field(name).setAttribute("aria-invalid", "true");
  field(name).setAttribute("aria-describedby", note.id);
}
