// Following the peer's events: live ones as they come and, after a break, those
// that were missed. What was too long ago is told as a gap, and all is read anew.

const page = 1000;

// Events of a Follower: "event" and "message" with {…, missed}, "caughtUp" with the
// number of events that were missed, "behind" when some are gone for good.
export class Follower extends EventTarget {
  #bridge;
  #run = ""; // names the run of the peer that sequence numbers belong to
  #seq = 0;
  #broken = false; // whether the connection is another one than the last

  constructor(bridge) {
    super();
    this.#bridge = bridge;
    bridge.addEventListener("open", () => (this.#broken = this.#run !== ""));
    bridge.addEventListener("event", (e) => this.#event(e.detail, false));
    bridge.addEventListener("message", (e) => this.#tell("message", { ...e.detail, missed: false }));
    bridge.addEventListener("gap", () => this.#tell("behind", null));
  }

  // start follows from now on, or from where the last connection ended.
  async start(channels) {
    this.#bridge.subscribe(channels);
    if (this.#run === "") {
      this.#place(await this.#last());
      return;
    }
    if (this.#broken) await this.#catchUp();
  }

  // last is the newest place: what is older was never promised to this page.
  async #last() {
    let after;
    for (;;) {
      const batch = await this.#bridge.call("events_read", after ? { after, limit: page } : { limit: page });
      if (batch.events.length < page) return batch.next;
      after = batch.next;
    }
  }

  async #catchUp() {
    const run = this.#run;
    let after = `${this.#run}:${this.#seq}`;
    let missed = 0;
    for (;;) {
      const batch = await this.#bridge.call("events_read", { after, limit: page });
      for (const event of batch.events) missed += this.#missed(event);
      after = batch.next;
      if (batch.events.length < page) break;
    }
    this.#place(after);
    this.#broken = false;
    if (this.#run !== run) this.#tell("behind", null);
    this.#tell("caughtUp", missed);
  }

  #missed(event) {
    if (event.kind === "gap") {
      this.#seq = 0; // another run of the peer counts anew
      this.#tell("behind", null);
      return 0;
    }
    if (event.kind === "sidechannel_message") {
      this.#tell("message", { ...event.data, missed: true });
      return 1;
    }
    return this.#event(event, true);
  }

  #event(event, missed) {
    if (event.seq <= this.#seq) return 0;
    this.#seq = event.seq;
    this.#tell("event", { ...event, missed });
    return 1;
  }

  #place(cursor) {
    const colon = cursor.lastIndexOf(":");
    if (cursor.slice(0, colon) !== this.#run) this.#seq = 0;
    this.#run = cursor.slice(0, colon);
    this.#seq = Math.max(this.#seq, Number(cursor.slice(colon + 1)));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
