/**
 * Where a block is drawn: x follows time, y keeps it near its parents and clear of its neighbours.
 *
 * A place is given once and never changes, so that nothing jumps and a new block costs the same however many there
 * are. x is in units of about a second: it grows with the node's clock, silence is shortened, and a block stands to
 * the right of its parents even where the clock says otherwise. y is between 0 and 1.
 */

const LANES = 25;
/** seconds of silence that are drawn, at most */
const SILENCE_MAX = 1.1;
/** units between a block and its parents: at most, and in mean intervals between two blocks. More, and a fast chain
    would set the pace instead of the clock. */
const STEP_MAX = 0.07;
const STEP_INTERVALS = 2;
/** units for which a lane is left free after a block, as far as there are lanes enough */
const APART = 0.5;
/** height over which blocks scatter: the least, for a Tangle as slim as a chain */
const SCATTER_MIN = 0.4;
/** units by which time may fall behind the newest block: a fast chain would otherwise leave it behind for good */
const BEHIND_MAX = 0.5;
const CROWDED = 0.75;

export class Layout {
  constructor() {
    /** x of the newest place given */
    this.head = 0;
    this.time = 0;
    this.receivedMs = 0;
    /** mean units between two blocks */
    this.interval = 0.5;
    /** x of the last block in each lane */
    this.lanes = new Float64Array(LANES).fill(-1e9);
  }

  /** Set x and y.  @param {import("./tangle.js").Block} block */
  place(block) {
    const noise = noiseOf(block.id);
    const passed = Math.min(Math.max((block.receivedMs - (this.receivedMs || block.receivedMs)) / 1_000, 0), SILENCE_MAX);
    this.receivedMs = Math.max(block.receivedMs, this.receivedMs);
    this.time += passed;
    this.interval += 0.05 * (passed - this.interval);
    const step = Math.min(STEP_INTERVALS * this.interval, STEP_MAX);
    // Blocks of one commit have one time; without noise they would stand in a column.
    let x = this.time + Math.min(this.interval, 0.1) * noise[0];
    for (const parent of block.parents) x = Math.max(x, parent.x + step);
    this.time = Math.max(this.time, x - BEHIND_MAX);
    this.head = Math.max(this.head, x);
    block.x = x;
    block.y = block.payload === "milestone" ? this._spine(x) : this._free(block, noise);
  }

  /** Milestones stand on the middle line. */
  _spine(x) {
    this.lanes.fill(x, (LANES >> 1) - 1, (LANES >> 1) + 2);
    return 0.5;
  }

  /** A lane that is free and near where the block should be; the busier the Tangle, the more of the height is used. */
  _free(block, noise) {
    const evenly = LANES * this.interval;
    const scatter = SCATTER_MIN + (1 - SCATTER_MIN) * Math.min(APART / evenly, 1);
    const wanted = wantedY(block, noise, scatter);
    const apart = Math.min(APART, 0.8 * evenly);
    let best = 0;
    let least = Infinity;
    for (let lane = 0; lane < LANES; lane += 1) {
      const clear = Math.min(Math.max((block.x - this.lanes[lane]) / apart, 0), 1);
      const y = (lane + 0.5) / LANES;
      const cost = Math.abs(y - wanted) + CROWDED * (1 - clear) + 0.12 * Math.abs(y - 0.5);
      if (cost < least) {
        least = cost;
        best = lane;
      }
    }
    this.lanes[best] = block.x;
    return (best + 0.5 + 0.9 * (noise[2] - 0.5)) / LANES;
  }
}

/** Near the mean of the parents and the middle, and scattered: without, chains would be drawn as lines and ramps. */
function wantedY(block, noise, scatter) {
  let mean = 0.5;
  if (block.parents.length) mean = block.parents.reduce((sum, parent) => sum + parent.y, 0) / block.parents.length;
  return 0.6 * mean + 0.2 + scatter * (noise[1] - 0.5);
}

/** Three numbers from 0 to 1 that depend on the id alone: the same block stands alike on every page. */
function noiseOf(id) {
  return [2, 6, 10].map((start) => parseInt(id.slice(start, start + 4), 16) / 65_536);
}
