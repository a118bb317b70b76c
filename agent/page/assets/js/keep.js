// Persist and Restore: the room in contract state. A peer that does not offer them
// says why; what it does is told step by step.

import { by, words } from "./dom.js";
import { tell } from "./feed.js";
import { plural } from "./text.js";

const note = by("keep-note");
const progress = by("progress");
const ended = new Set(["confirmed", "failed"]);
const look = 500; // ms between two looks at what became of a transaction
const looks = 240;

export class Keeper {
  #room = null;
  #offers;

  // offers tells whether the peer has an operation.
  constructor(offers) {
    this.#offers = offers;
    by("persist").addEventListener("click", () => this.persist());
    by("restore").addEventListener("click", () => this.restore());
  }

  set(room) {
    this.#room = room;
    note.textContent = "";
    for (const name of ["persist", "restore"]) this.#available(name);
  }

  // available keeps the button in reach, so that it can say why it does nothing.
  #available(name) {
    const offered = this.#offers(`expense_${name}`);
    by(name).setAttribute("aria-disabled", String(!offered));
    by(name).title = offered ? "" : why(name);
  }

  persist() {
    return this.#run("persist", async () => {
      let { tx, state, error } = await this.#room.ask("expense_persist");
      const told = () => this.#say(`persist: ${state}. tx=${tx}${error ? ` ${error}` : ""}`);
      told();
      for (let n = 0; n < looks && !ended.has(state) && this.#offers("tx_result"); n++) {
        await new Promise((done) => setTimeout(done, look));
        const before = state;
        ({ state, error } = await this.#room.call("tx_result", { tx }));
        if (state !== before) told();
      }
    });
  }

  restore() {
    return this.#run("restore", async () => {
      const { source, added, total, confirmed } = await this.#room.ask("expense_restore", { confirmed: false });
      this.#say(`restored: ${plural(added, "entry", "entries")} added, ${total} in all, source=${source}${confirmed ? ", confirmed" : ""}`);
    });
  }

  async #run(name, work) {
    if (!this.#offers(`expense_${name}`)) {
      this.#say(why(name));
      return;
    }
    progress.hidden = false;
    try {
      await work();
    } catch (error) {
      this.#say(`${name}: ${words(error)}`);
    } finally {
      progress.hidden = true;
    }
  }

  #say(text) {
    note.textContent = text;
    tell(text);
  }
}

const why = (name) =>
  `${name === "persist" ? "Persist" : "Restore"} is unavailable: this peer runs no contract (it offers no expense_${name}). The ledger is on its disk and with the other members; an export makes a copy.`;
