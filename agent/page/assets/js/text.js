// How money, times and keys are written. Amounts are decimal text everywhere: they
// are shown as they came and never reckoned with, save for the length of a bar.

export const money = (amount, currency) => (currency ? `${amount} ${currency}` : amount);

export const signed = (amount) => (amount.startsWith("-") || isZero(amount) ? amount : `+${amount}`);

export const isZero = (amount) => !/[1-9]/.test(amount);

// roughly is an amount as a number: only for lengths in drawings.
export const roughly = (amount) => Number(amount) || 0;

export const shortKey = (key) => (key.length > 16 ? `${key.slice(0, 9)}…${key.slice(-4)}` : key);

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const time = (ts) => clock.format(new Date(ts));
export const day = (entry) => (entry.date ? entry.date : calendar.format(new Date(entry.ts)));
export const moment = (ts) => whole.format(new Date(ts));

const names = (parts, currency) => parts.map((p) => `${p.member} ${money(p.amount, currency)}`).join(" · ");

// headline is what an entry is, in a few words.
export function headline(e) {
  switch (e.kind) {
    case "payment":
      return `${e.from} paid ${e.to}`;
    case "settlement":
      return `settled: ${e.payments.length} payments`;
    case "rule":
      return `every ${e.recurs.interval > 1 ? `${e.recurs.interval} ` : ""}${e.recurs.every}: ${e.note || "expense"}`;
    case "expense":
      return e.note || e.category || "expense";
    default:
      return e.kind;
  }
}

// detail is who paid and who bears what, to the unit.
export function detail(e) {
  if (e.kind === "settlement") return e.payments.map((p) => `${p.from} → ${p.to} ${money(p.amount, p.currency)}`).join(" · ");
  if (e.kind === "payment") return e.note || "payment";
  if (e.payers.length === 0) return "";
  const paid = e.payers.length === 1 ? e.payers[0].member : names(e.payers, "");
  return `${paid} paid · ${names(e.shares, "")}`;
}

export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
