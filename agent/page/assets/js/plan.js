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

const step = 34;
const left = 84;
const right = 236;
const middle = (left + right) / 2;
const sum = 32; // half of the gap for the sum

// drawing gives each payment a lane of its own, through which its line runs and in
// which its sum stands; a name stands beside the middle of its lanes.
function drawing(plan) {
  const lanes = [...plan].sort((a, b) => a.from.localeCompare(b.from) || a.to.localeCompare(b.to));
  const height = lanes.length * step + 8;
  const payers = places(lanes, "from", height);
  const payees = places(lanes, "to", height);
  const scale = Math.max(...plan.map((s) => roughly(s.amount))) || 1;
  const text = plan.map((s) => `${short(s.from, 40)} pays ${short(s.to, 40)} ${money(s.amount, s.currency)}`).join(", ");
  return draw(
    "svg",
    { viewBox: `0 0 320 ${height}`, role: "img", "aria-label": text },
    ...lanes.map((s, i) => arrow(payers.get(s.from), laneOf(i), payees.get(s.to), roughly(s.amount) / scale)),
    ...lanes.map((s, i) => draw("text", { class: "plan-sum", x: middle, y: laneOf(i) + 4, "text-anchor": "middle" }, money(s.amount, s.currency))),
    ...[...payers].map(([name, y]) => node(name, left, y, "end")),
    ...[...payees].map(([name, y]) => node(name, right, y, "start")),
  );
}

const laneOf = (i) => i * step + step / 2 + 4;

// places spreads the names of one side evenly, in the order of their lanes.
function places(lanes, side, height) {
  const mean = (name) => {
    const own = lanes.flatMap((s, i) => (s[side] === name ? [i] : []));
    return own.reduce((sum, i) => sum + i, 0) / own.length;
  };
  const names = [...new Set(lanes.map((s) => s[side]))].sort((a, b) => mean(a) - mean(b));
  return new Map(names.map((name, i) => [name, ((i + 0.5) * (height - 8)) / names.length + 4]));
}

function arrow(from, lane, to, weight) {
  const [start, end] = [left + 8, right - 14];
  const [before, after] = [middle - sum, middle + sum];
  const curve = `M${start} ${from} C${start + 18} ${from} ${before - 14} ${lane} ${before} ${lane} M${after} ${lane} C${after + 14} ${lane} ${end - 14} ${to} ${end} ${to}`;
  return draw(
    "g",
    null,
    draw("path", { class: "arrow", d: curve, "stroke-width": 1.2 + weight * 3 }),
    draw("path", { class: "arrow-head", d: `M${end - 2} ${to - 5} L${end + 7} ${to} L${end - 2} ${to + 5} Z` }),
  );
}

function node(name, x, y, anchor) {
  const text = draw("text", { class: "plan-name", x: anchor === "end" ? x - 8 : x + 8, y: y + 4, "text-anchor": anchor });
  text.textContent = short(name, 9);
  return draw("g", null, draw("circle", { class: "plan-node", cx: x, cy: y, r: 5 }), text);
}
