// The page: one connection to a peer, one room at a time.

import { presence, showAbout } from "./about.js";
import { Assistant } from "./assistant.js";
import { balanceLines, showBalances } from "./balances.js";
import { Bridge } from "./bridge.js";
import { Chat, firstWords } from "./chat.js";
import { openEntry } from "./details.js";
import { by, later, show, trouble, words } from "./dom.js";
import { EntryList } from "./entries.js";
import { exportAs, importInto } from "./exchange.js";
import { clear, tell, tellChange, tellEvent } from "./feed.js";
import { Follower } from "./follow.js";
import { ExpenseForm } from "./form.js";
import { openInvites } from "./invites.js";
import { Keeper } from "./keep.js";
import { showPlan } from "./plan.js";
import { Room } from "./room.js";
import { forget, remember } from "./session.js";
import { Start } from "./start.js";
import { money, plural, shortKey } from "./text.js";

let bridge = null;
let follower = null;
let room = null;
let joined = null;
let offered = new Set();
let wanted = null; // what to join as soon as the peer lets in

const form = new ExpenseForm(({ entry, sent_to }) => {
  tell(`${money(entry.amount, entry.currency)} is kept${sent_to === 0 ? "; nobody else is connected, others fetch it when they come" : `, and handed to ${plural(sent_to, "peer")}`}`);
});
const entries = new EntryList((entry) => openEntry(room, entry, (e) => (view("expenses"), form.edit(e))));
const chat = new Chat();
const keeper = new Keeper((name) => offered.has(name));
const assistant = new Assistant(
  (operation, result) => {
    if (operation === "expense_balance") tell("balance", balanceLines(result));
  },
  { persist: () => keeper.persist(), restore: () => keeper.restore(), "export text": () => exportAs(room, "text") },
);
const start = new Start({ connect, disconnect, join, subscribe: (channel) => join({ channel }) });

function connect(url, token) {
  bridge?.close();
  leave();
  remember("url", url);
  remember("token", token);
  bridge = new Bridge(url, token);
  follower = new Follower(bridge);
  const mine = bridge;
  bridge.addEventListener("state", () => mine === bridge && showState());
  bridge.addEventListener("open", () => mine === bridge && opened());
  follower.addEventListener("event", (e) => mine === bridge && happened(e.detail));
  follower.addEventListener("message", (e) => mine === bridge && heard(e.detail));
  follower.addEventListener("caughtUp", (e) => mine === bridge && caughtUp(e.detail));
  follower.addEventListener("behind", () => room?.reload());
  bridge.open();
}

function disconnect() {
  bridge?.close();
  bridge = null;
  leave();
  showState();
}

// opened is called each time the peer has let the page in.
async function opened() {
  try {
    const { operations } = await bridge.call("ops");
    offered = new Set(operations.map((o) => o.name));
    if (room) {
      joined = await room.call("sc_join", { channel: room.channel });
      keeper.set(room);
      await follower.start([room.channel]);
      room.reload();
      return;
    }
    start.rooms((await bridge.call("expense_rooms")).rooms);
    if (wanted) await join({ channel: wanted });
    else by("channel").focus();
  } catch (error) {
    trouble(by("join-error"), error);
  }
}

// join enters a room and shows it.
async function join(params) {
  wanted = null;
  trouble(by("join-error"), null);
  try {
    joined = await bridge.call("sc_join", params);
    room = new Room(bridge, joined.channel);
    room.open = joined.open;
    remember("room", room.channel);
    follow(room);
    enter();
    await follower.start([room.channel]);
    await chat.set(room, bridge.hello.peer);
    room.reload();
    tell(`joined ${room.channel}${joined.hint ? `: ${joined.hint}` : ""}`);
  } catch (error) {
    trouble(by("join-error"), error);
  }
}

function follow(mine) {
  const on = (name, run) => mine.addEventListener(name, (e) => mine === room && run(e.detail));
  on("entries", () => {
    entries.set(room);
    form.set(room);
  });
  on("entry", ({ change, entry }) => tellChange(change, entry));
  on("balance", () => {
    showBalances(room.balance);
    showPlan(room.balance, pay);
    showAbout(room, joined, bridge.hello);
  });
  on("people", () => {
    by("here").textContent = presence(room);
    showAbout(room, joined, bridge.hello);
  });
  on("loading", (n) => show(by("progress"), n > 0));
  on("trouble", (error) => notice(words(error)));
}

function enter() {
  show(by("start"), false);
  show(by("room"), true);
  for (const id of ["where", "open-invites", "change-room"]) show(by(id), true);
  by("room-name").textContent = room.channel;
  document.title = `${room.channel} · InterSplit`;
  clear();
  notice("");
  entries.set(room);
  form.set(room);
  assistant.set(room);
  keeper.set(room);
  by("main").focus({ preventScroll: true });
  scrollTo(0, 0);
}

// leave goes back to the first screen; the peer stays in the channel.
function leave() {
  room = null;
  show(by("start"), true);
  show(by("room"), false);
  for (const id of ["where", "open-invites", "change-room"]) show(by(id), false);
  document.title = "InterSplit";
}

const people = later(500, () => room?.people());

function happened(event) {
  if (!room) return;
  tellEvent(event, room.channel);
  if (event.kind === "expense_changed" && event.data.channel === room.channel) room.changed(event.data);
  if (event.kind.startsWith("peer_")) people();
}

function heard(message) {
  if (!room || message.channel !== room.channel) return;
  const text = chat.take(message);
  if (text) tell(`message from ${shortKey(message.from)}: ${firstWords(text)}`, null, message.ts);
  people();
}

async function caughtUp(missed) {
  notice(missed > 0 ? `The connection was lost. ${plural(missed, "event")} came meanwhile, and ${missed === 1 ? "is" : "are"} here now.` : "The connection was lost and is back. Nothing was missed.");
  try {
    await chat.fetch();
  } catch {
    // the connection is gone again; the next one fetches
  }
}

async function pay(s, button) {
  button.disabled = true;
  try {
    const params = { from: s.from, to: s.to, amount: s.amount, key: crypto.randomUUID() };
    await room.ask("expense_pay", { ...params, ...(s.currency && { currency: s.currency }) });
  } catch (error) {
    button.disabled = false;
    notice(words(error));
  }
}

function notice(text) {
  by("notice").textContent = text;
  show(by("notice"), text !== "");
}

const states = { idle: "not connected", connecting: "connecting …", open: "connected", lost: "connection lost, trying again …", refused: "not let in" };

function showState() {
  const state = bridge?.state ?? "idle";
  by("state").textContent = states[state];
  by("state").dataset.state = state;
  start.state(bridge);
  if (state === "refused") leave();
}

// view chooses the part that narrow screens show.
function view(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === name));
}

document.querySelector(".views").addEventListener("click", (e) => e.target.dataset.show && view(e.target.dataset.show));
by("open-invites").addEventListener("click", () => openInvites(room));
by("change-room").addEventListener("click", async () => {
  forget("room");
  leave();
  start.rooms((await bridge.call("expense_rooms")).rooms);
});
by("balance").addEventListener("click", async () => {
  try {
    tell("balance", balanceLines(await room.ask("expense_balance")));
  } catch (error) {
    notice(words(error));
  }
});
by("export-text").addEventListener("click", () => exportAs(room, "text"));
by("export").addEventListener("click", () => exportAs(room, "json"));
by("import").addEventListener("click", () => importInto(room));

showState();
const { url, token, room: last } = await start.arrive();
wanted = last || null;
if (token) connect(url, token);
