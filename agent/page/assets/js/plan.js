// The plan of payments: a drawing with who pays on the left and who is paid on the
// right, and a list in which a payment is marked as paid.

import { by, draw, el, said, short } from "./dom.js";
import { money, plural, roughly } from "./text.js";

// A drawing with more payments than this would be a knot; the list shows them all.
const drawn = 16;
const listed = 200;

export function showPlan(balance, pay) {
  const plan = balance.settlements;
  by("plan-facts").textContent = facts(balance);
  by("plan-drawing").replaceChildren(...(plan.length > 0 && plan.length <= drawn ? [drawing(plan)] : []));
  by("plan-list").replaceChildren(...plan.slice(0, listed).map((s) => item(s, pay)));
  if (plan.length > listed) by("plan-list").append(el("li", null, `and ${plan.length - listed} more`));
}

function facts({ settlements, plan }) {
  if (settlements.length === 0) return "nobody owes anything";
  const count = plural(settlements.length, "payment");
  return plan.optimal ? `${count}, as few as can be` : `${count}, at least ${plan.lower_bound}`;
}

function item(s, pay) {
  const label = `Mark as paid: ${short(s.from, 40)} to ${short(s.to, 40)} ${money(s.amount, s.currency)}`;
  const button = el("button", { type: "button", class: "quiet", "aria-label": label }, "Mark as paid");
  button.addEventListener("click", () => pay(s, button));
  return el(
    "li",
    null,
    el("span", { class: "who" }, said(s.from, 60), " → ", said(s.to, 60), ": ", el("strong", { class: "money" }, money(s.amount, s.currency))),
    button,
  );
}

const step = 44;
const left = 96;
const right = 224;

function drawing(plan) {
  const payers = [...new Set(plan.map((s) => s.from))];
  const payees = [...new Set(plan.map((s) => s.to))];
  const height = Math.max(payers.length, payees.length) * step + 8;
  const at = (names, name) => ((names.indexOf(name) + 0.5) * (height - 8)) / names.length + 4;
  const scale = Math.max(...plan.map((s) => roughly(s.amount))) || 1;
  const text = plan.map((s) => `${short(s.from, 40)} pays ${short(s.to, 40)} ${money(s.amount, s.currency)}`).join(", ");
  return draw(
    "svg",
    { viewBox: `0 0 320 ${height}`, role: "img", "aria-label": text },
    ...plan.map((s) => arrow(s, at(payers, s.from), at(payees, s.to), roughly(s.amount) / scale)),
    ...payers.map((name) => node(name, left, at(payers, name), "end")),
    ...payees.map((name) => node(name, right, at(payees, name), "start")),
  );
}

function arrow(s, from, to, weight) {
  const [start, end] = [left + 8, right - 14];
  const middle = (start + end) / 2;
  const curve = `M${start} ${from} C${middle} ${from} ${middle} ${to} ${end} ${to}`;
  return draw(
    "g",
    null,
    draw("path", { class: "arrow", d: curve, "stroke-width": 1.2 + weight * 3 }),
    draw("path", { class: "arrow-head", d: `M${end - 2} ${to - 5} L${end + 7} ${to} L${end - 2} ${to + 5} Z` }),
    draw("text", { class: "plan-sum", x: middle, y: (from + to) / 2 - 6, "text-anchor": "middle" }, money(s.amount, s.currency)),
  );
}

function node(name, x, y, anchor) {
  const text = draw("text", { class: "plan-name", x: anchor === "end" ? x - 8 : x + 8, y: y + 4, "text-anchor": anchor });
  text.textContent = short(name, 12);
  return draw("g", null, draw("circle", { class: "plan-node", cx: x, cy: y, r: 5 }), text);
}
