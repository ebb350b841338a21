/**
 * Following a channel: parts in any order, with anything between, to messages in order, each once.
 *
 * The reader is told what lies under its `addresses` and answers with events. It has no clock: what is missing is
 * awaited until `passGap`. After a rekey message it waits for `rekey`, which takes no other side key than the one that
 * the message commits to (format 3). Source: docs/mam.md, "Reading".
 *
 * Events: {type: "message", index, body, sources, late}, {type: "gap", first, last}, {type: "fork", index, sources},
 * {type: "rekeyed", index, sources}, {type: "repeated"}, {type: "skipped", code}.
 */

import { Access, committed, HASH, join, REKEY, same, Unreadable, unseal } from "./mam.js";

/** messages behind the reader in which a fork is still noticed; always the whole tree before */
const PAST = 256n;
/** bytes and messages that wait for a missing one before it is given up */
const WAITING_BYTES = 32 * 2 ** 20;
const WAITING = 4_096;

export class Reader {
  /** @param {bigint|null} network id of the network it reads on; null asks nothing */
  constructor(mode, root, sideKey, network = null) {
    this.network = network;
    /** of the format of the channel, null before its first message */
    this.version = null;
    /** @type {Access|null} null while a new side key is needed */
    this.current = new Access(mode, root, sideKey);
    this.next = null;
    this.expected = null;
    this.height = null;
    this.past = new Map();
    this.waiting = new Map();
    this.waitingBytes = 0;
    this.settled = new Map();
    this._forks = new Set();
    this._replaced = null;
  }

  /** Where new messages can appear, the soonest first. */
  get addresses() {
    return [this.current, this.next].filter((access) => access !== null).map((access) => access.name);
  }

  /** The first and last index that are awaited while a later message is whole, or null. */
  get missing() {
    const whole = [...this.waiting].filter(([index, entry]) => index > this.expected && !entry.missing).map(([index]) => index);
    if (!whole.length) return null;
    return { first: this.expected, last: whole.reduce((least, index) => (index < least ? index : least)) - 1n };
  }

  /** @param {string} address  @param {Uint8Array} data  @param {string} source block id */
  take(address, data, source) {
    const access = [this.current, this.next, this.past.get(address)?.access].find((one) => one?.name === address);
    if (!access) return [];
    try {
      return this._take(access, unseal(access, data), source);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return [{ type: "skipped", code: error.code, why: error.message, source }];
    }
  }

  /** Give up what is missing, and go on with what waits behind it. */
  passGap() {
    const { missing } = this;
    if (missing === null) return [];
    for (const index of this.waiting.keys()) if (index <= missing.last) this._forget(index);
    this._advance(missing.last + 1n);
    return [{ type: "gap", ...missing }, ...this._deliver()];
  }

  /**
   * Go on after a rekey message, unless it commits to another side key. In format 2, which has no commitment, it may be
   * tried again with another key until a message was read with one.
   * @returns {boolean} whether the key was taken
   */
  rekey(sideKey) {
    const { current, next, index, commitment } = this._replaced;
    if (commitment && !same(commitment, committed(index, sideKey))) return false;
    this.current = current.rekeyed(sideKey);
    this.next = next?.rekeyed(sideKey) ?? null;
    this.expected = index;
    this._advance(index + 1n);
    return true;
  }

  /** Whether a rekey message came and no message was read with a new side key yet. */
  get rekeyable() {
    return this._replaced !== null;
  }

  /** Whether a new side key is needed. */
  get closed() {
    return this.current === null;
  }

  _take(access, part, source) {
    if (this.network !== null && part.network !== 0n && part.network !== this.network) {
      throw new Unreadable("written_elsewhere", "written for another network, and published here by somebody");
    }
    if (this.height === null) {
      this.version = part.version;
      this.height = BigInt(part.height);
      this.expected = (part.index >> this.height) << this.height;
      this.start = this.expected;
    }
    this._checkTree(access, part);
    if (access === this.current) {
      this._replaced = null;
      if (this.next === null) this.next = access.of(part.nextRoot);
      else if (!same(this.next.root, part.nextRoot)) throw new Unreadable("misplaced", "it names another next root");
    }
    const settled = this.settled.get(part.index);
    if (settled) return this._again(part, settled, source);
    if (part.index < this.start) return [];
    if (part.index >= this.expected && this.past.has(access.name)) {
      throw new Unreadable("misplaced", "masked with a side key that was replaced before");
    }
    return this._gather(access, part, source);
  }

  _checkTree(access, part) {
    const tree = (this.expected >> this.height) + (access === this.next ? 1n : 0n);
    const inRow = this.past.has(access.name) || part.index >> this.height === tree;
    if (BigInt(part.height) !== this.height || !inRow) throw new Unreadable("misplaced", "its tree does not follow");
    if (part.version !== this.version) throw new Unreadable("misplaced", "of another format than the messages before it");
  }

  _again(part, first, source) {
    if (part.identity === first.identity) return [{ type: "repeated", index: part.index }];
    const fork = `${part.index} ${part.identity}`;
    if (this._forks.has(fork)) return [];
    if (this._forks.size < WAITING) this._forks.add(fork);
    return [{ type: "fork", index: part.index, sources: [first.source, source] }];
  }

  _gather(access, part, source) {
    let entry = this.waiting.get(part.index);
    if (!entry) {
      entry = { parts: Array(part.parts).fill(null), sources: [], missing: part.parts, identity: part.identity, source };
      this.waiting.set(part.index, entry);
    }
    if (entry.identity !== part.identity) return this._again(part, entry, source);
    if (entry.parts[part.part]) return [{ type: "repeated", index: part.index }];
    entry.parts[part.part] = part;
    entry.sources[part.part] = source;
    entry.missing -= 1;
    this.waitingBytes += part.body.length;
    if (part.index >= this.expected) return [...this._deliver(), ...this._relieve()];
    return entry.missing ? this._relieve() : this._late(part.index);
  }

  _deliver() {
    const events = [];
    while (this.current) {
      const index = this.expected;
      const entry = this.waiting.get(index);
      if (!entry || entry.missing) break;
      events.push(...this._settle(index, entry));
    }
    return events;
  }

  _settle(index, entry) {
    this._forget(index);
    this.settled.set(index, { identity: entry.identity, source: entry.sources[0] });
    if (entry.parts[0].kind === REKEY) return this._close(index, entry);
    const events = [this._message(index, entry, false)];
    this._advance(index + 1n);
    return events;
  }

  _message(index, entry, late) {
    try {
      return { type: "message", index, body: join(entry.parts), sources: entry.sources, late };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return { type: "skipped", code: error.code, why: error.message, source: entry.sources[0] };
    }
  }

  _late(index) {
    const entry = this.waiting.get(index);
    this._forget(index);
    this.settled.set(index, { identity: entry.identity, source: entry.sources[0] });
    if (entry.parts[0].kind === REKEY) return [{ type: "skipped", code: "misplaced", why: "a rekey message that came late" }];
    return [this._message(index, entry, true)];
  }

  /** Without the new side key nothing can be read; what waits under the old one contradicts the writer. */
  _close(index, entry) {
    this._retire();
    const body = this.version > 2 ? entry.parts[0].body : null;
    this._replaced = { current: this.current, next: this.next, index, commitment: body?.slice(0, HASH) ?? null };
    this.current = null;
    this.next = null;
    this.waiting.clear();
    this.waitingBytes = 0;
    return [{ type: "rekeyed", index, sources: entry.sources }];
  }

  /** Expect `index` next, in the next tree if it lies there. */
  _advance(index) {
    const crossing = this.expected >> this.height !== index >> this.height;
    this.expected = index;
    if (!crossing) return;
    this._retire();
    this.current = this.next;
    this.next = null;
    for (const ahead of [...this.waiting.keys()].sort((one, other) => (one < other ? -1 : 1))) {
      const part = this.waiting.get(ahead).parts.find((one) => one !== null);
      if (ahead < index || this.current === null) continue;
      this.next ??= this.current.of(part.nextRoot);
      if (!same(this.next.root, part.nextRoot)) this._forget(ahead);
    }
  }

  _retire() {
    if (this.current) this.past.set(this.current.name, { access: this.current, until: this.expected });
    const tree = 1n << this.height;
    const horizon = this.expected - (2n * tree > PAST ? 2n * tree : PAST);
    for (const [name, { until }] of this.past) if (until < horizon) this.past.delete(name);
    for (const index of this.settled.keys()) {
      if (index >= horizon - tree) break;
      this.settled.delete(index);
    }
  }

  _relieve() {
    const events = [];
    while (this.waitingBytes > WAITING_BYTES || this.waiting.size > WAITING) {
      const passed = this.passGap();
      if (passed.length) events.push(...passed);
      else this._forget([...this.waiting.keys()].reduce((most, index) => (index > most ? index : most)));
    }
    return events;
  }

  _forget(index) {
    const entry = this.waiting.get(index);
    this.waiting.delete(index);
    for (const part of entry.parts) this.waitingBytes -= part?.body.length ?? 0;
  }
}
