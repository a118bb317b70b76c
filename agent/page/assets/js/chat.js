// The chat of the channel. Messages are other people's words: shown as text, cut
// when they are very long, and never acted on.

import { by, el, short, words } from "./dom.js";
import { plural, shortKey, time } from "./text.js";

const kept = 300;
const longest = 10000;
const box = by("chat");

// A peer does not hear its own words: tabs of one peer tell them to each other.
const tabs = new BroadcastChannel("chat");

export class Chat {
  #room = null;
  #me = "";
  #seen = new Set(); // ids of messages shown

  constructor() {
    tabs.addEventListener("message", ({ data }) => {
      if (this.#room?.channel === data.channel && this.#me === data.from) this.#own(data);
    });
    by("chat-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#send();
    });
  }

  // set shows another room: what its peer still keeps of it.
  async set(room, me) {
    this.#room = room;
    this.#me = me;
    this.#seen.clear();
    box.replaceChildren();
    by("chat-note").textContent = "";
    await this.fetch();
  }

  // fetch shows what the peer keeps and is not here yet.
  async fetch() {
    let after = 0;
    for (;;) {
      const page = await this.#room.ask("sc_read", { limit: 1000, ...(after && { after }) });
      for (const m of page.messages) this.take(m);
      if (page.messages.length < 1000) return;
      after = page.next;
    }
  }

  // take shows a message, once. It gives its text, or "" when it is none for people.
  take(m) {
    if (this.#seen.has(m.id)) return "";
    this.#seen.add(m.id);
    if (this.#seen.size > 5000) this.#seen.delete(this.#seen.values().next().value);
    const text = textOf(m.message);
    if (text !== "") this.#add(text, m.from, m.ts);
    return text;
  }

  #own({ id, from, text, peers, ts }) {
    this.#seen.add(id);
    this.#add(text, from, ts, peers === 0 ? " · nobody was there to hear it" : ` · to ${plural(peers, "peer")}`);
  }

  #add(text, from, ts, note = "") {
    const mine = from === this.#me;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    const who = `${mine ? "you" : shortKey(from)} · ${time(ts)}${note}`;
    box.append(el("div", { class: mine ? "message mine" : "message" }, el("span", { class: "who" }, who), el("span", { class: "said" }, cut(text))));
    while (box.children.length > kept) box.firstElementChild.remove();
    if (atEnd || mine) box.scrollTop = box.scrollHeight;
  }

  async #send() {
    const input = by("chat-text");
    const text = input.value.trim();
    if (text === "" || !this.#room) return;
    try {
      const sent = await this.#room.ask("sc_send", { message: text });
      const own = { channel: this.#room.channel, from: this.#me, id: sent.message_id, text, peers: sent.peers, ts: Date.now() };
      this.#own(own);
      tabs.postMessage(own);
      input.value = "";
      by("chat-note").textContent = sent.hint ?? "";
    } catch (error) {
      by("chat-note").textContent = words(error);
    }
  }
}

// textOf is what a message says to people. What programs say to each other, the
// ledger's own announcements too, is not chat.
function textOf(message) {
  if (typeof message === "string") return message;
  if (message === null || typeof message !== "object") return String(message);
  if (message.app !== undefined) return "";
  if (typeof message.text === "string") return message.text;
  return JSON.stringify(message);
}

const cut = (text) => (text.length > longest ? `${text.slice(0, longest)}…` : text);

export const firstWords = (text) => short(text, 80);
