// The line of plain words: the peer's own small grammar understands it, the page
// shows what would be done, and it is done when confirmed.

import { by, el, plain, said, short, words } from "./dom.js";
import { balanceLines } from "./balances.js";
import { detail, headline, money } from "./text.js";

const box = by("assist-answer");

export class Assistant {
  #room = null;
  #done;
  #own; // what the page's own controls do, by operation

  // done is called with an operation and its result; own are the page's ways to do
  // an operation that needs more than a line.
  constructor(done, own) {
    this.#done = done;
    this.#own = own;
    by("assist-form").addEventListener("submit", (e) => {
      e.preventDefault();
      this.#ask(by("assist").value.trim(), false);
    });
  }

  set(room) {
    if (this.#room?.channel !== room.channel) box.replaceChildren();
    this.#room = room;
  }

  async #ask(text, confirm) {
    if (text === "" || !this.#room) return;
    const own = this.#own[text.toLowerCase()];
    if (own) {
      box.replaceChildren();
      by("assist").value = "";
      own();
      return;
    }
    try {
      this.#show(text, await this.#room.ask("expense_assist", { text, confirm }));
    } catch (error) {
      box.replaceChildren(el("p", { class: "error" }, words(error)));
    }
  }

  #show(text, answer) {
    if (answer.question) return this.#question(answer);
    if (answer.done) {
      by("assist").value = "";
      box.replaceChildren(el("div", { class: "answer" }, el("p", null, `Done: ${answer.operation}`), ...outcome(answer.result)));
      this.#done(answer.operation, answer.result);
      return;
    }
    const confirm = el("button", { type: "button" }, "Do it");
    confirm.addEventListener("click", () => this.#ask(text, true));
    const fresh = answer.new_members?.length > 0 && el("p", { class: "note" }, `New in this room: ${answer.new_members.map((n) => short(n, 40)).join(", ")}`);
    box.replaceChildren(
      el(
        "div",
        { class: "answer" },
        el("p", null, "This is what it would do: ", el("code", null, answer.operation)),
        ...outcome(answer.result),
        fresh,
        el("div", { class: "row" }, confirm, el("button", { type: "button", class: "quiet", onclick: () => box.replaceChildren() }, "Leave it")),
      ),
    );
    confirm.focus();
  }

  #question({ question, choices }) {
    const choose = (choice) => {
      by("assist").value = choice;
      this.#ask(choice, false);
    };
    box.replaceChildren(
      el(
        "div",
        { class: "answer" },
        el("p", null, said(question, 400)),
        el("div", { class: "chips" }, ...(choices ?? []).map((c) => el("button", { type: "button", onclick: () => choose(c) }, short(c, 120)))),
      ),
    );
  }
}

// outcome shows the result of any operation that a line can mean.
function outcome(result) {
  if (!result) return [];
  if (result.entry) return [el("p", null, said(line(result.entry), 600))];
  if (result.balances) return [el("p", { class: "lines" }, plain(balanceLines(result).join("\n")))];
  if (result.settlements) return [el("p", { class: "lines" }, plain(result.settlements.map((s) => `${s.from} -> ${s.to}: ${money(s.amount, s.currency)}`).join("\n") || "nothing to pay"))];
  if (result.entries) return [el("p", { class: "lines" }, plain(result.entries.slice(-30).map(line).join("\n")))];
  if (typeof result.data === "string") return [el("p", { class: "lines" }, plain(result.data.slice(0, 4000)))];
  return [el("p", { class: "lines" }, plain(JSON.stringify(result, null, 1).slice(0, 4000)))];
}

const line = (e) => `${headline(e)}${e.amount ? ` · ${money(e.amount, e.currency)}` : ""}${detail(e) ? ` · ${detail(e)}` : ""}`;
