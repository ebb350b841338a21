/**
 * The thread that follows a channel: it alone holds the keys, and it asks the node for nothing but addresses.
 *
 * History comes in pages with data, then the stream of the addresses where new messages can appear. When these change
 * (the next tree began), what already lies under the new ones is read first. An address is a hash and tells nothing of
 * the keys behind it, except in a public channel, whose address is the root.
 *
 * In:  {kind: "open", mode, root, sideKey} and {kind: "sideKey", sideKey}, bytes.
 * Out: {kind: "events", events, counts, rekeyable} and {kind: "state", state}.
 */

import { networkId } from "./mam.js";
import { Reader } from "./reader.js";
import { at, getJson } from "./source.js";
import { bytesOf } from "./words.js";

const TAGS = "/api/tangle/v1/tags";
const INFO = "/api/core/v2/info";
const METRICS = "/api/tangle/v1/metrics";
const PAGE = 200;
const RETRY_MS = 500;
const RETRY_MAX_MS = 5_000;
/** a missing message is awaited so long once a later one is whole */
const GAP_MS = 10_000;
/** decoding is told of so often */
const TELL_MS = 100;

class Follower {
  constructor({ mode, root, sideKey }) {
    this.reader = new Reader(mode, root, sideKey);
    this.counts = { read: 0, messages: 0, gaps: 0, forks: 0, repeated: 0, skipped: {} };
    /** by address: the event number up to which it was read */
    this.read = new Map();
    /** the largest event number that the node has told of */
    this.newest = 0;
    this.events = [];
    this.told = 0;
    this.stream = null;
    this.retryMs = RETRY_MS;
  }

  async run() {
    for (;;) {
      try {
        this.reader.network ??= networkId((await getJson(INFO)).protocol.networkName);
        await this.catchUp();
        this.retryMs = RETRY_MS;
        this.say(this.reader.closed ? "closed" : "live");
        await this.listen();
      } catch (error) {
        this.stream?.close();
        this.say("lost", error.message);
        await new Promise((resolve) => setTimeout(resolve, this.retryMs));
        this.retryMs = Math.min(2 * this.retryMs, RETRY_MAX_MS);
      }
    }
  }

  /** Read every address to its end. */
  async catchUp() {
    for (;;) {
      const address = this.reader.addresses.find((one) => !this.read.has(one));
      if (address === undefined) break;
      await this.readAll(address);
    }
    this.tell();
  }

  async readAll(address) {
    // What was told of before the question is in the answer; the stream need not bring it again.
    if (!this.newest) this.newest = (await getJson(METRICS)).eventNumber;
    const known = this.newest;
    let after = 0;
    for (;;) {
      const { items, next } = await getJson(`${TAGS}/${address}/blocks?after=${after}&data=true&pageSize=${PAGE}`);
      for (const item of items) {
        this.take(address, item);
        after = item.number;
      }
      if (next === undefined) break;
    }
    this.read.set(address, Math.max(after, known));
  }

  /** Follow the addresses until they are others, or the stream breaks. */
  listen() {
    const { addresses } = this.reader;
    return new Promise((resolve, reject) => {
      this.wake = resolve;
      this.stream?.close();
      if (!addresses.length) return;
      const [first, ...also] = addresses;
      const after = Math.min(...addresses.map((address) => this.read.get(address)));
      const more = also.length ? `&also=${also.join(",")}` : "";
      this.stream = new EventSource(at(`${TAGS}/${first}/events?after=${after}${more}`));
      this.stream.onerror = () => reject(new Error("the stream ended"));
      this.stream.addEventListener("block", (message) => {
        const block = JSON.parse(message.data);
        if (block.number <= this.read.get(block.tag)) return;
        this.read.set(block.tag, block.number);
        this.take(block.tag, block);
        this.tell();
        if (this.reader.addresses.join() !== addresses.join()) resolve();
      });
    });
  }

  take(address, item) {
    this.counts.read += 1;
    this.newest = Math.max(this.newest, item.number);
    for (const event of this.reader.take(address, bytesOf(item.data), item.blockId)) this.note(event, item.receivedMs);
    this.watchGap();
    if (performance.now() - this.told > TELL_MS) this.tell();
  }

  note(event, receivedMs) {
    const { counts } = this;
    if (event.type === "skipped") counts.skipped[event.code] = (counts.skipped[event.code] ?? 0) + 1;
    else if (event.type === "repeated") counts.repeated += 1;
    else this.events.push({ ...event, receivedMs });
    if (event.type === "message") counts.messages += 1;
    if (event.type === "gap") counts.gaps += 1;
    if (event.type === "fork") counts.forks += 1;
  }

  watchGap() {
    if (this.reader.missing === null) {
      clearTimeout(this.gapTimer);
      this.gapTimer = undefined;
    } else {
      this.gapTimer ??= setTimeout(() => {
        this.gapTimer = undefined;
        for (const event of this.reader.passGap()) this.note(event, null);
        this.tell();
        this.watchGap();
        this.wake?.();
      }, GAP_MS);
    }
  }

  rekey(sideKey) {
    if (!this.reader.rekeyable) return;
    if (this.reader.rekey(sideKey)) this.wake?.();
    else this.say("refused");
  }

  tell() {
    this.told = performance.now();
    const { events, counts } = this;
    postMessage({ kind: "events", events, counts, rekeyable: this.reader.rekeyable });
    this.events = [];
  }

  say(state, why = "") {
    postMessage({ kind: "state", state, why });
  }
}

let follower = null;

addEventListener("message", ({ data }) => {
  if (data.kind === "open") {
    follower = new Follower(data);
    follower.run();
  } else if (data.kind === "sideKey") {
    follower?.rekey(data.sideKey);
  }
});
