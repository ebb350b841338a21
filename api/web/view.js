/**
 * Which part of the drawing is seen: from units of the layout to pixels and back.
 *
 * While it follows, the right edge stays at the newest block and the scale follows the rate, so that a quiet Tangle
 * and 200 blocks a second both fill the width. Taking hold of the picture ends following.
 */

/** pixels kept free around the lanes */
const PAD = { top: 40, bottom: 58, right: 46 };
/** pixels per unit while following: at least, at most */
const PACE_MIN = 54;
const PACE_MAX = 230;
/** pixels of width for each block that is seen at once while following, as far as the pace allows */
const ROOM = 9;
const EASE_MS = 260;
const SCALE_MIN = 4;
const SCALE_MAX = 4_000;

export class View {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.following = true;
    /** pixels per unit of x */
    this.scale = 80;
    /** x at the left edge */
    this.left = 0;
    /** magnification of y, and the y in the middle */
    this.tall = 1;
    this.middle = 0.5;
    /** what the reader's zooming adds while following */
    this.factor = 1;
    /** @type {{left: number, middle: number}|null} where the view is going */
    this.aim = null;
  }

  px(x) {
    return (x - this.left) * this.scale;
  }

  py(y) {
    const lanes = this.height - PAD.top - PAD.bottom;
    return PAD.top + lanes / 2 + (y - this.middle) * lanes * this.tall;
  }

  x(px) {
    return px / this.scale + this.left;
  }

  resize(width, height) {
    this.width = Math.max(width, 1);
    this.height = Math.max(height, 1);
  }

  /**
   * Move on by one frame; returns whether the view moved.
   * @param {import("./tangle.js").Tangle} tangle
   * @param {number} passedMs
   * @param {boolean} still no easing
   */
  step(tangle, passedMs, still) {
    const part = still ? 1 : 1 - Math.exp(-passedMs / EASE_MS);
    if (this.following) return this._follow(tangle, part);
    if (!this.aim) return false;
    this.left += part * (this.aim.left - this.left);
    this.middle += part * (this.aim.middle - this.middle);
    if (Math.abs(this.px(this.aim.left)) < 0.5) this.aim = null;
    return true;
  }

  _follow(tangle, part) {
    const head = tangle.layout.head;
    const room = Math.max(this.width - PAD.right, 40);
    const oldest = (tangle.blocks.at(-Math.ceil(room / ROOM)) ?? tangle.blocks[0])?.x ?? head;
    const pace = Math.min(Math.max(room / (head - oldest + 0.01), PACE_MIN), PACE_MAX);
    const aimed = Math.min(Math.max(pace * this.factor, SCALE_MIN), SCALE_MAX);
    const right = this.x(room);
    const moved = Math.abs(head - right) * this.scale > 0.3 || Math.abs(aimed / this.scale - 1) > 0.002;
    if (!moved) return false;
    // A far jump (the first slice, the way back from old blocks) is not travelled.
    const jump = Math.abs(head - right) * this.scale > 1.5 * room;
    this.scale += (jump ? 1 : 0.4 * part) * (aimed - this.scale);
    const shown = jump ? head : right + part * (head - right);
    this.left = shown - room / this.scale;
    this.tall = 1;
    this.middle = 0.5;
    return true;
  }

  /** Follow the newest again. */
  follow() {
    this.following = true;
    this.aim = null;
    this.factor = 1;
  }

  hold() {
    this.following = false;
    this.aim = null;
  }

  /** Move by pixels. */
  pan(dx, dy) {
    this.hold();
    this.left -= dx / this.scale;
    const lanes = (this.height - PAD.top - PAD.bottom) * this.tall;
    this.middle = Math.min(Math.max(this.middle - dy / lanes, 0), 1);
  }

  /** Magnify by `factor` around a pixel. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    if (this.following) {
      this.factor = Math.min(Math.max(this.factor * factor, 0.1), 30);
      return;
    }
    const x = this.x(px);
    const lanes = this.height - PAD.top - PAD.bottom;
    const y = this.middle + (py - PAD.top - lanes / 2) / (lanes * this.tall);
    this.scale = Math.min(Math.max(this.scale * factor, SCALE_MIN), SCALE_MAX);
    this.left = x - px / this.scale;
    this.tall = Math.min(Math.max(this.tall * factor, 1), 12);
    this.middle = this.tall === 1 ? 0.5 : y - (py - PAD.top - lanes / 2) / (lanes * this.tall);
    this.aim = null;
  }

  /** Show everything that is kept. */
  fit(tangle) {
    this.hold();
    const first = tangle.blocks[0]?.x ?? 0;
    const span = Math.max(tangle.layout.head - first, 1);
    this.scale = Math.max((this.width - 2 * PAD.right) / span, 1);
    this.left = first - PAD.right / this.scale;
    this.tall = 1;
    this.middle = 0.5;
  }

  /** Bring a block into sight without moving more than needed.  @param {import("./tangle.js").Block} block */
  reveal(block) {
    const px = this.px(block.x);
    const py = this.py(block.y);
    const seen = px > 60 && px < this.width - 60 && py > 30 && py < this.height - 20;
    this.hold();
    if (seen) return;
    this.aim = { left: block.x - this.width / 2 / this.scale, middle: this.tall > 1 ? block.y : 0.5 };
  }
}
