// The live feed: what happened on the peer that concerns this room, newest last.

import { by, el, plain, short } from "./dom.js";
import { headline, money, plural, shortKey, time } from "./text.js";

const kept = 200;
const box = by("feed");

// tell adds a line; several lines stand as a block.
export function tell(text, lines, ts = Date.now()) {
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  const what = el("div", null, text && el("span", { class: "anything" }, short(text, 600)));
  if (lines?.length > 0) what.append(el("div", { class: "lines" }, plain(lines.slice(0, 300).join("\n"))));
  box.append(el("div", { class: "happening" }, el("time", { datetime: new Date(ts).toISOString() }, time(ts)), what));
  while (box.children.length > kept) box.firstElementChild.remove();
  if (atEnd) box.scrollTop = box.scrollHeight;
}

export const clear = () => box.replaceChildren();

const did = { expense: "added", payment: "booked", edit: "changed", delete: "deleted", undelete: "brought back" };

// tellChange tells what happened to one entry, and by whose hand.
export function tellChange({ kind, by: author }, entry) {
  tell(`${did[kind]}: ${short(headline(entry), 120)}${entry.amount ? ` · ${money(entry.amount, entry.currency)}` : ""}${author ? ` · by ${shortKey(author)}` : ""}`);
}

// tellEvent puts an event of the peer into words.
export function tellEvent(event, channel) {
  const { kind, data, ts } = event;
  if (data.channel !== undefined && data.channel !== channel) return;
  const text = words(kind, data);
  if (text) tell(text, null, ts);
}

function words(kind, data) {
  switch (kind) {
    case "peer_joined":
      return `peer ${shortKey(data.peer)} connected`;
    case "peer_left":
      return `peer ${shortKey(data.peer)} is gone`;
    case "channel_joined":
      return "joined the room";
    case "channel_left":
      return "left the room";
    case "expense_changed":
      if (did[data.kind]) return ""; // told with the entry, once it is read
      return data.id ? `${data.kind} by ${shortKey(data.by)}` : `${plural(data.entries, "entry", "entries")} came at once`;
    case "expense_sync":
      return `fetching the ledger from ${shortKey(data.peer)}: ${data.have}${data.theirs ? ` of ${data.theirs}` : ""}${data.done ? ", done" : ""}`;
    default:
      return `${kind} ${JSON.stringify(data)}`;
  }
}
