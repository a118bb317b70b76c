// What is known of the room and of this peer, in words.

import { by, el, said } from "./dom.js";
import { plural, shortKey } from "./text.js";

// presence says who is connected to the room now.
export const presence = (room) => (room.present === 0 ? "only you are here" : `you and ${plural(room.present, "peer")}`);

export function showAbout(room, joined, me) {
  const lines = [
    room.open ? "Open: whoever knows the name can read and write here." : "For invited peers only, and encrypted between them.",
    joined.owner && (joined.owner === me.peer ? "You own this room." : el("span", null, "Its owner is ", el("span", { class: "key" }, joined.owner), ".")),
    welcome(joined),
    joined.welcome_text && el("span", null, "The owner says: ", said(joined.welcome_text, 4096)),
    room.members.length > 0 && el("span", null, "In the ledger: ", said(room.members.slice(0, 40).join(", "), 600), "."),
    authors(room).length > 0 && `Who wrote in it: ${authors(room).join(", ")}.`,
    room.balance?.incomplete && "This peer has no room for all entries: others have more.",
    el("span", null, "Your key, for invites: ", el("span", { class: "key" }, me.address)),
  ];
  by("about").replaceChildren(...lines.filter(Boolean).map((line) => el("p", null, line)));
}

// authors are those who signed entries, by the beginning of their address.
function authors(room) {
  const all = new Set();
  for (const e of room.entries.values()) all.add(e.by);
  return [...all].slice(0, 20).map(shortKey);
}

function welcome({ welcome: state }) {
  switch (state) {
    case "verified":
      return "The owner's welcome is here and its signature holds.";
    case "missing":
      return "The owner's welcome is missing: until it comes, this peer hears nothing here.";
    default:
      return "Nobody owns this room.";
  }
}
