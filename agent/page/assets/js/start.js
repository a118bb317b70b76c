// The first screen: connecting to a peer, and choosing a room.

import { arrival, exchange, forget, recall, remember } from "./session.js";
import { by, el, short, show, trouble } from "./dom.js";
import { readInvite } from "./invites.js";
import { plural } from "./text.js";

export class Start {
  #join;

  // connect is called with a URL and a token, join with parameters of sc_join,
  // subscribe with a channel that need not be joined anew.
  constructor({ connect, disconnect, join, subscribe }) {
    this.#join = join;
    by("connect-form").addEventListener("submit", (e) => {
      e.preventDefault();
      connect(by("ws-url").value.trim(), by("token").value.trim());
    });
    by("disconnect").addEventListener("click", () => {
      forget("token");
      disconnect();
    });
    by("join-form").addEventListener("submit", (e) => {
      e.preventDefault();
      join(this.#params());
    });
    by("subscribe").addEventListener("click", () => subscribe(by("channel").value.trim()));
    by("invite-in").addEventListener("input", () => {
      const { channel } = readInvite(by("invite-in").value);
      if (channel) by("channel").value = channel;
    });
  }

  #params() {
    const form = by("join-form").elements;
    const { invite, channel } = readInvite(by("invite-in").value);
    return {
      channel: by("channel").value.trim() || channel,
      ...(invite && { invite }),
      ...(form.create.checked && { create: true }),
      ...(form.create.checked && form.invite_only.checked && { invite_only: true }),
    };
  }

  // arrive does what the page was opened for, and gives what to connect with.
  async arrive() {
    const { code, room, invite } = arrival();
    if (room) by("channel").value = room;
    if (invite) {
      by("invite-in").value = invite;
      by("invite-in").closest("details").open = true;
    }
    if (code) {
      try {
        const granted = await exchange(code);
        remember("url", granted.bridge);
        remember("token", granted.token);
        if (room === "") forget("room");
      } catch (error) {
        by("connect-note").textContent = `${error.message} Make a new link with “intercom page link”, or fill this in.`;
      }
    }
    by("ws-url").value = recall("url") || by("ws-url").value;
    return { url: recall("url"), token: recall("token"), room: room ? "" : recall("room") };
  }

  // state shows how the connection stands.
  state(bridge) {
    const open = bridge?.state === "open";
    show(by("disconnect"), Boolean(bridge) && bridge.state !== "idle" && bridge.state !== "refused");
    trouble(by("connect-error"), bridge?.state === "refused" ? new Error(bridge.reason) : null);
    if (bridge?.state === "refused") by("connect-note").textContent = "A token counts until its peer ends. Make a new link with “intercom page link”, or fill this in.";
    if (open) by("connect-note").textContent = `Connected to ${short(bridge.hello?.address ?? bridge.url, 80)}.`;
    by("join").disabled = !open;
    by("subscribe").disabled = !open;
  }

  // rooms offers the ledgers that the peer has.
  rooms(list) {
    const chips = list
      .filter((r) => r.entries > 0 || r.members.length > 0)
      .map((r) => el("button", { type: "button", onclick: () => this.#join({ channel: r.channel }) }, `${short(r.channel, 40)} · ${plural(r.entries, "entry", "entries")}`));
    by("known-rooms").replaceChildren(...chips);
  }
}
