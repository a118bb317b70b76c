// Invites: make one for a peer and show it as a link and a code; take one by paste
// or link. A link leads to the page on the machine of whoever opens it,
// at its usual port; what stands behind the # never leaves that machine.

import { encode } from "./qr.js";
import { by, draw, el, trouble } from "./dom.js";

const link = (words) => `${location.protocol}//127.0.0.1:5070/#${new URLSearchParams(words)}`;

// readInvite takes a link, JSON or base64, and gives the invite and its channel.
export function readInvite(text) {
  let invite = text.trim();
  let channel = "";
  if (invite.includes("#")) {
    const words = new URLSearchParams(invite.slice(invite.indexOf("#") + 1));
    [invite, channel] = [words.get("invite") ?? "", words.get("room") ?? ""];
  }
  return { invite, channel: channel || channelOf(invite) };
}

function channelOf(invite) {
  try {
    const json = invite.startsWith("{") ? invite : new TextDecoder().decode(Uint8Array.from(atob(invite.replace(/^b64:/, "")), (c) => c.charCodeAt(0)));
    return String(JSON.parse(json).payload.channel ?? "");
  } catch {
    return ""; // the peer says what is wrong with it
  }
}

// openInvites shows the ways into a room.
export function openInvites(room) {
  const dialog = by("invite-dialog");
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const key = el("input", { type: "text", autocomplete: "off", spellcheck: "false", placeholder: "trac1… or 64 hex digits" });
  const out = el("div", { class: "body", "aria-live": "polite" });
  const form = el(
    "form",
    { novalidate: true, class: "body" },
    el("label", null, "Key or address of the peer (it stands under “This room” on its own page) ", key),
    el("div", { class: "row" }, el("button", { type: "submit" }, "Make an invite")),
  );
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    try {
      const made = await room.ask("sc_invite", { pubkey: key.value.trim() });
      trouble(error, null);
      out.replaceChildren(...shown("Invite", link({ room: room.channel, invite: made.invite_b64 }), made.hint));
    } catch (refusal) {
      out.replaceChildren();
      trouble(error, refusal);
    }
  });
  const open = el(
    "div",
    { class: "body" },
    el("p", { class: "note" }, room.open ? "This room is open: whoever knows its name can read it and write in it. The link only carries the name." : "This room is for invited peers. Each invite is for one peer and useless to others."),
    ...(room.open ? shown("Link to the room", link({ room: room.channel })) : []),
  );
  dialog.replaceChildren(
    el("div", { class: "body" }, el("h2", { id: "invite-title" }, "Invite to ", el("bdi", null, room.channel)), open, form, error, out, el("div", { class: "row" }, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close"))),
  );
  dialog.showModal();
}

function shown(title, url, hint) {
  const text = el("textarea", { readonly: true, rows: 3 });
  text.value = url;
  return [el("label", null, `${title} `, text), code(url), hint && el("p", { class: "note" }, hint)].filter(Boolean);
}

function code(url) {
  const dark = encode(url);
  if (!dark) return el("p", { class: "note" }, "It is too long for a QR code: send the link.");
  const size = dark.length + 8;
  const path = dark.flatMap((row, y) => row.map((on, x) => (on ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return draw("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR code of the link", "shape-rendering": "crispEdges" }, draw("path", { d: path }));
}
