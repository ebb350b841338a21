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
/** units between a block and its parents, at least */
const STEP = 0.07;
/** units by which time may fall behind the newest block: a fast chain would otherwise leave it behind for good */
const BEHIND_MAX = 0.5;
const CROWDED = 0.75;

export class Layout {
  constructor() {
    /** x of the newest place given */
    this.head = 0;
    this.time = 0;
    this.receivedMs = NaN;
    /** mean units between two blocks */
    this.interval = 0.5;
    /** x of the last block in each lane */
    this.lanes = new Float64Array(LANES).fill(-1e9);
  }

  /** Set x and y.  @param {import("./tangle.js").Block} block */
  place(block) {
    const noise = noiseOf(block.id);
    const before = this.time;
    const passed = Number.isNaN(this.receivedMs) ? 0 : (block.receivedMs - this.receivedMs) / 1_000;
    this.receivedMs = Math.max(block.receivedMs, Number.isNaN(this.receivedMs) ? 0 : this.receivedMs);
    this.time += Math.min(Math.max(passed, 0), SILENCE_MAX);
    // Blocks of one commit have one time; without noise they would stand in a column.
    let x = this.time + Math.min(this.interval, 0.1) * noise[0];
    for (const parent of block.parents) x = Math.max(x, parent.x + STEP);
    this.time = Math.max(this.time, x - BEHIND_MAX);
    this.interval += 0.05 * (Math.min(this.time - before, 1) - this.interval);
    this.head = Math.max(this.head, x);
    block.x = x;
    block.y = block.payload === "milestone" ? this._spine(x) : this._free(block, noise);
  }

  /** Milestones stand on the middle line. */
  _spine(x) {
    this.lanes[LANES >> 1] = x;
    return 0.5;
  }

  _free(block, noise) {
    const wanted = wantedY(block, noise);
    // As far apart as using all lanes evenly would put them.
    const apart = Math.min(Math.max(0.8 * LANES * this.interval, 0.1), 2.5);
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
    return (best + 0.5 + 0.5 * (noise[2] - 0.5)) / LANES;
  }
}

/** Half way between the mean of the parents and anywhere: nearer, and chains would be drawn as ramps. */
function wantedY(block, noise) {
  if (!block.parents.length) return noise[1];
  let sum = 0;
  for (const parent of block.parents) sum += parent.y;
  return 0.5 * (sum / block.parents.length) + 0.5 * noise[1];
}

/** Three numbers from 0 to 1 that depend on the id alone: the same block stands alike on every page. */
function noiseOf(id) {
  return [2, 6, 10].map((start) => parseInt(id.slice(start, start + 4), 16) / 65_536);
}
