// Balances as signed bars: what a member is owed grows to the right, what it owes
// to the left.

import { by, draw, el, said } from "./dom.js";
import { isZero, money, roughly, signed } from "./text.js";

// Bars are drawn for so many members of a currency; the others are told by number.
const most = 60;

export function showBalances(balance) {
  by("totals").textContent = balance.totals.map((t) => money(t.amount, t.currency)).join(" · ");
  const currencies = [...new Set(balance.balances.map((b) => b.currency))];
  if (currencies.length === 0) {
    const even = balance.entries > 0 ? "Everybody is even." : "Nothing was spent yet. Add the first expense.";
    by("balances").replaceChildren(el("p", { class: "note" }, even));
    return;
  }
  by("balances").replaceChildren(
    ...currencies.map((currency) =>
      group(
        currency,
        balance.balances.filter((b) => b.currency === currency),
        currencies.length > 1,
      ),
    ),
  );
}

function group(currency, rows, titled) {
  const scale = Math.max(...rows.map((r) => Math.abs(roughly(r.amount)))) || 1;
  return el(
    "div",
    { class: "bars" },
    titled && el("h3", null, currency || "no currency"),
    el("ul", { class: "plain bars" }, ...rows.slice(0, most).map((row) => line(row, scale))),
    rows.length > most && el("p", { class: "note" }, `and ${rows.length - most} more`),
  );
}

function line(row, scale) {
  const share = (Math.abs(roughly(row.amount)) / scale) * 50;
  const owes = row.amount.startsWith("-");
  const sign = owes ? "minus" : isZero(row.amount) ? "even" : "plus";
  return el(
    "li",
    { class: "balance" },
    said(row.member, 60),
    el("span", { class: `money ${sign}` }, money(signed(row.amount), row.currency)),
    draw(
      "svg",
      { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      draw("rect", { class: "ground", width: 100, height: 6 }),
      draw("rect", { class: `bar ${sign}`, x: owes ? 50 - share : 50, width: share, height: 6 }),
      draw("line", { class: "zero", x1: 50, x2: 50, y1: 0, y2: 6 }),
    ),
  );
}

// balanceLines are the balances as the terminal prints them.
export function balanceLines(balance) {
  const lines = balance.balances.map((b) => `${b.member}: ${money(signed(b.amount), b.currency)}`);
  const plan = balance.settlements.map((s) => `${s.from} -> ${s.to}: ${money(s.amount, s.currency)}`);
  if (lines.length === 0) return ["no balances yet."];
  return [...lines, ...(plan.length > 0 ? plan : ["settlements: none"])];
}
