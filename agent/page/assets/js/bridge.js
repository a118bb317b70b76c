// SC-Bridge: one WebSocket, requests with ids, events in between. It comes back by
// itself when the connection is lost, until it is closed or the token is refused.

const waits = [500, 1000, 2000, 5000, 10000];

class Refusal extends Error {
  constructor({ error, kind, hint }) {
    super(error);
    this.kind = kind ?? "";
    this.hint = hint ?? "";
  }
}

const cut = () => new Refusal({ error: "the connection to the peer was lost", kind: "unavailable", hint: "it is tried again by itself" });

// Events of a Bridge: "state" (idle, connecting, open, lost, refused), "open" for
// each time it is let in, "message", "event" and "gap" with the frame as detail.
export class Bridge extends EventTarget {
  #socket = null;
  #next = 1;
  #pending = new Map();
  #tries = 0;
  #timer = 0;

  constructor(url, token) {
    super();
    this.url = url;
    this.token = token;
    this.state = "idle";
    this.hello = null;
    this.reason = "";
  }

  open() {
    clearTimeout(this.#timer);
    this.#become(this.#tries > 0 ? "lost" : "connecting");
    let socket;
    try {
      socket = new WebSocket(this.url);
    } catch {
      this.#refused("this is no URL of a WebSocket, or one that the page may not use: ws://127.0.0.1:49222 is one");
      return;
    }
    this.#socket = socket;
    socket.onmessage = (m) => this.#take(JSON.parse(m.data));
    socket.onclose = () => this.#gone(socket);
  }

  close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#fail();
    this.#become("idle");
  }

  // call asks for an operation and gives its result.
  call(type, params = {}) {
    if (this.state !== "open") return Promise.reject(cut());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, type, params }));
    });
  }

  // subscribe asks for every event, and messages of these channels only.
  subscribe(channels) {
    this.#socket?.send(JSON.stringify({ type: "subscribe", channels, events: true }));
  }

  #take(frame) {
    switch (frame.type) {
      case "hello":
        this.hello = frame;
        this.#socket.send(JSON.stringify({ type: "auth", token: this.token }));
        return;
      case "auth_ok":
        this.#tries = 0;
        this.#become("open");
        this.#tell("open", null);
        return;
      case "sidechannel_message":
        this.#tell("message", frame);
        return;
      case "event":
      case "gap":
        this.#tell(frame.type, frame);
        return;
    }
    if (this.state !== "open") {
      if (frame.type === "error") this.#refused(`the peer refuses the token (${frame.error})`);
      return;
    }
    this.#answer(frame);
  }

  #answer(frame) {
    const waiting = this.#pending.get(frame.id);
    if (!waiting) return;
    this.#pending.delete(frame.id);
    if (frame.type === "error") waiting.reject(new Refusal(frame));
    else waiting.resolve(frame.result ?? frame);
  }

  #gone(socket) {
    if (socket !== this.#socket) return;
    this.#fail();
    this.#become("lost");
    this.#timer = setTimeout(() => this.open(), waits[Math.min(this.#tries, waits.length - 1)]);
    this.#tries++;
  }

  #refused(reason) {
    this.reason = reason;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#fail();
    this.#become("refused");
  }

  #fail() {
    for (const waiting of this.#pending.values()) waiting.reject(cut());
    this.#pending.clear();
  }

  #become(state) {
    this.state = state;
    this.#tell("state", state);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
