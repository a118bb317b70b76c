// One entry with everything that is known of it: parts to the unit, conflict,
// history, and what can be done about it.

import { by, el, said, trouble, words } from "./dom.js";
import { day, headline, moment, money, shortKey } from "./text.js";

const dialog = by("entry-dialog");

// openEntry shows an entry; edit is called when its fields shall be changed.
export function openEntry(room, entry, edit) {
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const history = el("div", null, el("p", { class: "note" }, "Reading the history …"));
  const act = async (type, params) => {
    try {
      await room.ask(type, params);
      dialog.close();
    } catch (refusal) {
      trouble(error, refusal);
    }
  };
  dialog.replaceChildren(
    el(
      "div",
      { class: "body" },
      el("h2", { id: "entry-title" }, said(headline(entry), 300)),
      conflict(entry),
      facts(entry),
      shares(entry),
      error,
      actions(entry, act, edit),
      el("details", { open: true }, el("summary", null, "History"), history),
    ),
  );
  dialog.showModal();
  tell(room, entry, history, act);
}

function facts(e) {
  const rows = [
    ["amount", e.amount && money(e.amount, e.currency)],
    ["counts as", e.converted && `${money(e.converted.amount, e.converted.currency)} at ${e.converted.rate}`],
    ["date", day(e)],
    ["category", e.category],
    ["tags", e.tags.join(", ")],
    ["note", e.kind === "expense" || e.kind === "payment" ? e.note : ""],
    ["state", e.state || e.reason],
    ["recorded", moment(e.ts)],
    ["signed by", e.by],
  ].filter(([, value]) => value);
  return el("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [el("dt", null, name), el("dd", null, value)]));
}

function shares(e) {
  if (e.shares.length === 0) return null;
  const paid = new Map(e.payers.map((p) => [p.member, p.amount]));
  const bears = new Map(e.shares.map((p) => [p.member, p.amount]));
  const members = [...new Set([...paid.keys(), ...bears.keys()])];
  return el(
    "table",
    null,
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "member"), el("th", { scope: "col", class: "money" }, "paid"), el("th", { scope: "col", class: "money" }, "bears"))),
    el(
      "tbody",
      null,
      ...members.map((m) => el("tr", null, el("td", null, said(m)), el("td", { class: "money" }, paid.get(m) ?? "–"), el("td", { class: "money" }, bears.get(m) ?? "–"))),
    ),
  );
}

function conflict(e) {
  if (!e.conflict?.length) return null;
  const fields = e.conflict.map((c) => c.field).join(", ");
  return el("p", { class: "notice" }, `Conflict about ${fields}: members changed it without knowing of each other. What counts is shown here, the history shows all. Edit it to settle the matter.`);
}

function actions(e, act, edit) {
  const button = (text, kind, run) => el("button", { type: "button", class: kind, onclick: run }, text);
  const row = el("div", { class: "row" });
  const gone = e.state === "deleted" || e.state === "cleared";
  if (!e.state && e.kind === "expense") row.append(button("Edit", "", () => (dialog.close(), edit(e))));
  if (!e.state && (e.kind === "expense" || e.kind === "payment")) row.append(button("Delete", "danger", () => act("expense_delete", { id: e.id })));
  if (!e.state) row.append(button("Undo this entry", "quiet", () => act("expense_undo", { id: e.id })));
  if (gone) row.append(button("Bring it back", "", () => act("expense_undelete", { id: e.id })));
  row.append(button("Close", "quiet", () => dialog.close()));
  return row;
}

async function tell(room, entry, box, act) {
  try {
    const { history, dropped } = await room.ask("expense_history", { id: entry.id });
    const items = history.map((told) => item(told, act));
    if (dropped) items.unshift(el("li", null, `${dropped} older changes are left out`));
    box.replaceChildren(el("ol", { class: "history" }, ...items));
  } catch (error) {
    box.replaceChildren(el("p", { class: "error" }, words(error)));
  }
}

function item({ said: entry, undone_by: undone }, act) {
  const what = { expense: "recorded", payment: "recorded", settlement: "recorded", edit: `changed ${(entry.changes ?? []).join(", ")}`, delete: "deleted", undelete: "brought back", undo: "took back a change" };
  const now = entry.amount ? ` · ${money(entry.amount, entry.currency)}` : "";
  const canUndo = !undone?.length && ["edit", "delete", "undelete", "undo"].includes(entry.kind);
  return el(
    "li",
    null,
    `${what[entry.kind] ?? entry.kind}${now}`,
    entry.note && el("span", null, " · ", said(entry.note, 300)),
    el("br"),
    el("span", { class: "note" }, `${moment(entry.ts)} by ${shortKey(entry.by)}${undone?.length ? " · taken back" : ""} `),
    canUndo && el("button", { type: "button", class: "quiet", onclick: () => act("expense_undo", { id: entry.id }) }, "Undo"),
  );
}
