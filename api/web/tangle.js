/**
 * The Tangle as the page knows it: the newest blocks, bounded in number, changed by events and read by views.
 *
 * Nothing here draws or fetches. Blocks refer to one another, so that cones are walks over objects; a block that is
 * dropped is cut from its children, otherwise the newest block would hold the oldest in memory for ever. Every event
 * may be applied twice without harm: a slice and the stream overlap.
 */

import { Layout } from "./layout.js";

/** blocks kept, and blocks kept while the picture stands still and somebody looks at old ones */
export const KEPT_MAX = 6_000;
export const KEPT_MAX_PAUSED = 24_000;

/** share of walks from which a block counts as sure */
const SURE = 0.95;
/** milliseconds over which times are collected, and how many at most */
const TIMES_MS = 10_000;
const TIMES_MAX = 5_000;

/** What is known of how sure a block is, in the order in which it grows. */
export const LEVELS = ["new", "half", "sure", "referenced"];

/**
 * @typedef {object} Block
 * @property {string} id
 * @property {number} number of its solid event
 * @property {string[]} parentIds
 * @property {Block[]} parents those that are kept
 * @property {Block[]} children
 * @property {"none"|"taggedData"|"transaction"|"milestone"} payload
 * @property {number} receivedMs by the node's clock
 * @property {number} heardMs by this page's clock, when it came live; otherwise NaN
 * @property {number|null} milestoneIndex of the milestone it carries
 * @property {number|null} referencedBy index of the milestone that references it
 * @property {string|null} inclusion ledgerInclusionState of TIP-25
 * @property {number|null} conflictReason
 * @property {number} m hits
 * @property {number} n walks
 * @property {boolean} sure whether its time to become sure was taken
 * @property {number} x
 * @property {number} y
 */

/** The share of walks that approve a block; 1 once a milestone references it.  @param {Block} block */
export function share(block) {
  if (block.referencedBy !== null) return 1;
  return block.n > 0 ? block.m / block.n : 0;
}

/** Which of LEVELS, or "conflict".  @param {Block} block */
export function level(block) {
  if (block.inclusion === "conflicting") return "conflict";
  if (block.referencedBy !== null) return "referenced";
  const part = share(block);
  if (part >= SURE) return "sure";
  return part >= 0.5 ? "half" : "new";
}

export class Tangle {
  /** @param {() => number} now milliseconds of a clock that only grows */
  constructor(now) {
    this.now = now;
    /** grows with every change; views compare it to know whether to draw */
    this.version = 0;
    this.keptMax = KEPT_MAX;
    this.clear();
  }

  clear() {
    /** @type {Map<string, Block>} */
    this.byId = new Map();
    /** @type {Block[]} in order of number */
    this.blocks = [];
    this.layout = new Layout();
    /** milliseconds from heard to sure, and from heard to referenced, of late */
    this.sureTimes = new Times();
    this.referencedTimes = new Times();
    this.version += 1;
  }

  /** Take the answer of `/graph`.  @param {{nodes: object[]}} slice */
  begin(slice) {
    this.clear();
    for (const node of slice.nodes) {
      const block = this._add(node, false);
      if (!block) continue;
      this._settle(block, node);
      block.m = node.confidence.m;
      block.n = node.confidence.n;
    }
  }

  /**
   * Apply one event of the stream.
   * @param {any} event
   * @param {boolean} live whether it tells of now; what is caught up on is not timed
   * @returns {Block|null} the block that it was about, where it is kept
   */
  apply(event, live) {
    if (event.type === "solid") return this._add(event, live);
    if (event.type === "milestone") return null;
    const block = this.byId.get(event.blockId);
    if (!block) return null;
    this.version += 1;
    if (event.type === "confidence") {
      block.m = event.m;
      block.n = event.n;
      if (live && share(block) >= SURE) this._timeSure(block);
    } else if (event.type === "referenced") {
      this._settle(block, { ...event, referencedByMilestoneIndex: event.milestoneIndex, milestoneIndex: undefined });
      if (!live) return block;
      this._timeSure(block);
      if (!Number.isNaN(block.heardMs)) this.referencedTimes.add(block.heardMs, this.now());
    }
    return block;
  }

  /** The kept blocks that `block` approves, directly or not.  @param {Block} block */
  pastCone(block) {
    return cone(block, (one) => one.parents);
  }

  /** The kept blocks that approve `block`, directly or not.  @param {Block} block */
  futureCone(block) {
    return cone(block, (one) => one.children);
  }

  /** The newest kept block whose id begins with `prefix`.  @param {string} prefix */
  beginningWith(prefix) {
    const exact = this.byId.get(prefix);
    if (exact) return exact;
    return this.blocks.findLast((block) => block.id.startsWith(prefix)) ?? null;
  }

  /** The kept block that carries milestone `index`.  @param {number} index */
  milestone(index) {
    return this.blocks.findLast((block) => block.milestoneIndex === index) ?? null;
  }

  _add(node, live) {
    if (this.byId.has(node.blockId)) return this.byId.get(node.blockId);
    /** @type {Block} */
    const block = {
      id: node.blockId,
      number: node.number,
      parentIds: node.parents,
      parents: [],
      children: [],
      payload: node.payload,
      receivedMs: node.receivedMs,
      heardMs: live ? this.now() : NaN,
      milestoneIndex: node.milestoneIndex ?? null,
      referencedBy: null,
      inclusion: null,
      conflictReason: null,
      m: 0,
      n: 0,
      sure: false,
      x: 0,
      y: 0,
    };
    for (const id of node.parents) {
      const parent = this.byId.get(id);
      if (!parent) continue;
      block.parents.push(parent);
      parent.children.push(block);
    }
    this.layout.place(block);
    this.byId.set(block.id, block);
    this.blocks.push(block);
    // Dropped by the tenth, so that the list is moved rarely.
    if (this.blocks.length > this.keptMax * 1.1) this._drop(this.blocks.length - this.keptMax);
    this.version += 1;
    return block;
  }

  _drop(count) {
    for (const block of this.blocks.splice(0, count)) {
      this.byId.delete(block.id);
      for (const child of block.children) child.parents = child.parents.filter((one) => one !== block);
    }
  }

  _settle(block, node) {
    if (node.milestoneIndex !== undefined) block.milestoneIndex = node.milestoneIndex;
    if (node.referencedByMilestoneIndex === undefined) return;
    block.referencedBy = node.referencedByMilestoneIndex;
    block.inclusion = node.ledgerInclusionState;
    block.conflictReason = node.conflictReason ?? null;
  }

  _timeSure(block) {
    if (block.sure || Number.isNaN(block.heardMs)) return;
    block.sure = true;
    this.sureTimes.add(block.heardMs, this.now());
  }
}

/**
 * How long something took, lately. By time and not by number: a milestone references many blocks at once, the newest
 * last, and the last of them alone would make every wait look short.
 */
class Times {
  constructor() {
    /** @type {{at: number, took: number}[]} */
    this.taken = [];
  }

  add(from, now) {
    this.taken.push({ at: now, took: now - from });
    if (this.taken.length > 2 * TIMES_MAX) this.taken.splice(0, this.taken.length - TIMES_MAX);
  }

  /** Milliseconds, or null where nothing happened lately. */
  median(now) {
    const first = this.taken.findIndex((one) => now - one.at <= TIMES_MS);
    this.taken.splice(0, first < 0 ? this.taken.length : first);
    if (!this.taken.length) return null;
    const sorted = this.taken.map((one) => one.took).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }
}

function cone(start, next) {
  const found = new Set();
  const waiting = [...next(start)];
  while (waiting.length) {
    const block = waiting.pop();
    if (found.has(block)) continue;
    found.add(block);
    waiting.push(...next(block));
  }
  return found;
}
