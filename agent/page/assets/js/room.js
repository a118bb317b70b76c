// A room as this page knows it: its entries, its balances, who is there. Entries
// are read once and then followed one by one; what touches many is read anew.

import { later } from "./dom.js";

// Entries that the page keeps. A room with more shows the newest, and says so.
const most = 20000;
const single = new Set(["expense", "payment", "edit", "delete", "undelete"]);

// Events of a Room: "entries", "entry" with a change and the entry as it is now,
// "balance", "people", "loading" with how many are here, "trouble" with an error.
export class Room extends EventTarget {
  #bridge;
  #wanted = new Map(); // entries to read again, and how they changed
  #all = false; // whether all of them are
  #busy = false;
  #soon = later(120, () => this.#catchUp());

  constructor(bridge, channel) {
    super();
    this.#bridge = bridge;
    this.channel = channel;
    this.entries = new Map(); // by id, in the order in which every peer lists them
    this.balance = null;
    this.members = [];
    this.present = 0; // connected peers that are in the room too
    this.cut = false;
  }

  ask(type, params = {}) {
    return this.#bridge.call(type, { channel: this.channel, ...params });
  }

  call(type, params = {}) {
    return this.#bridge.call(type, params);
  }

  // reload reads everything anew.
  reload() {
    this.#all = true;
    this.#soon();
  }

  // changed takes the event that the ledger changed.
  changed(change) {
    if (change.id && single.has(change.kind)) this.#wanted.set(change.id, change);
    else this.#all = true;
    this.#soon();
  }

  async #catchUp() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      do {
        await this.#read();
        this.balance = await this.ask("expense_balance");
        this.#tell("balance");
      } while (this.#all || this.#wanted.size > 0);
    } catch (error) {
      this.#all = true; // a reload follows when the connection is back
      if (error.kind !== "unavailable") this.#tell("trouble", error);
    } finally {
      this.#busy = false;
    }
    this.people();
  }

  async #read() {
    const wanted = [...this.#wanted.values()];
    this.#wanted.clear();
    if (this.#all || wanted.length > 20) {
      this.#all = false;
      await this.#readAll();
      for (const change of wanted) this.#changed(change);
    } else {
      for (const change of wanted) await this.#readOne(change);
    }
    this.#learn();
    this.#tell("entries");
  }

  async #readAll() {
    const entries = new Map();
    let cursor;
    do {
      const batch = await this.ask("expense_list", { include_deleted: true, include_closed: true, ...(cursor && { cursor }) });
      for (const entry of batch.entries) entries.set(entry.id, entry);
      cursor = batch.next_cursor;
      this.#tell("loading", cursor ? entries.size : 0);
    } while (cursor);
    this.cut = entries.size > most;
    for (const id of entries.keys()) {
      if (entries.size <= most) break;
      entries.delete(id);
    }
    this.entries = entries;
  }

  async #readOne(change) {
    const { entry } = await this.ask("expense_history", { id: change.id });
    this.entries.set(entry.id, entry);
    this.#changed(change, entry.id);
  }

  // changed tells of a change whose entry is here. A change of another entry, read
  // with all of them, is seen in the list.
  #changed(change, id = change.id) {
    const entry = this.entries.get(id);
    if (entry) this.#tell("entry", { change, entry });
  }

  #learn() {
    const members = new Set();
    for (const e of this.entries.values()) {
      if (e.state && e.state !== "closed") continue;
      for (const p of [...e.payers, ...e.shares]) members.add(p.member);
      if (e.kind === "payment") members.add(e.from).add(e.to);
    }
    this.members = [...members].sort();
  }

  // people asks who is in the room now.
  async people() {
    try {
      const { channels } = await this.#bridge.call("sc_stats");
      const here = channels.find((c) => c.name === this.channel);
      this.present = here?.members ?? 0;
      this.open = here?.open ?? true;
      this.#tell("people");
    } catch {
      // the next event or connection asks again
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
