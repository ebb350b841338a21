/**
 * The drawing: blocks and what they approve, on a canvas, as smooth as the screen.
 *
 * Events change the model at once and draw nothing; a frame draws what is in sight, once, however much happened
 * since the last one. Nothing is drawn while nothing changed.
 */

import { Glyphs, radiusOf, readTheme } from "./glyphs.js";
import { level } from "./tangle.js";
import { clock } from "./words.js";

const RADIUS_MIN = 2.5;
const RADIUS_MAX = 8;
const BIRTH_MS = 320;
const CONES_MS = 250;
/** milliseconds from which a frame counts as dear */
const COSTLY_MS = 8;
/** pixels within which a block is meant */
const REACH = { mouse: 10, pen: 14, touch: 20 };
/** pixels between two written milestones */
const LABEL_GAP = 88;

export class Picture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./tangle.js").Tangle} tangle
   * @param {import("./view.js").View} view
   */
  constructor(canvas, tangle, view) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.tangle = tangle;
    this.view = view;
    /** @type {import("./tangle.js").Block|null} */
    this.selected = null;
    this.past = new Set();
    this.future = new Set();
    /** @type {import("./tangle.js").Block|null} */
    this.hovered = null;
    /** @type {import("./tangle.js").Block[]} what was in sight in the last frame */
    this.seen = [];
    /** called after each frame drawn */
    this.onFrame = () => {};
    /** frames drawn */
    this.frames = 0;
    this.radius = 6;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this._dirty = true;
    this._version = -1;
    this._conesAt = 0;
    this._conesVersion = -1;
    this._births = 0;
    this._notBefore = 0;
    this._then = performance.now();
    new ResizeObserver(() => this.measure()).observe(canvas);
    for (const query of ["(prefers-color-scheme: light)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.restyle());
    }
    this.measure();
  }

  start() {
    const frame = (now) => {
      this._frame(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** Read the colours anew. */
  restyle() {
    this.theme = readTheme();
    this.glyphs = new Glyphs(this.theme, this.density);
    this._dirty = true;
  }

  /** @param {import("./tangle.js").Block|null} block */
  select(block) {
    this.selected = block;
    this._cones(performance.now());
    this._dirty = true;
  }

  /** Whether the last frame shows all there is to show. */
  get settled() {
    return !this._dirty && !this._births && !this.view.aim && this._version === this.tangle.version;
  }

  touch() {
    this._dirty = true;
  }

  /** The block at a place of the canvas.  @param {string} pointer its type */
  at(px, py, pointer = "mouse") {
    const reach = REACH[pointer] ?? REACH.mouse;
    let found = null;
    let least = Infinity;
    for (const block of this.seen) {
      const distance = Math.hypot(this.view.px(block.x) - px, this.view.py(block.y) - py);
      const within = Math.max(radiusOf(block.payload, this.radius) + 2, reach);
      if (distance <= within && distance < least) {
        least = distance;
        found = block;
      }
    }
    return found;
  }

  /** Take the size that the canvas has on the page. */
  measure() {
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth === this.view.width && clientHeight === this.view.height) return;
    this.density = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(clientWidth * this.density));
    this.canvas.height = Math.max(1, Math.round(clientHeight * this.density));
    const right = this.view.x(this.view.width);
    this.view.resize(clientWidth, clientHeight);
    if (this.view.following) this.view.left = right - this.view.width / this.view.scale;
    this.restyle();
  }

  _frame(now) {
    const passed = Math.min(now - this._then, 100);
    this._then = now;
    const moved = this.view.step(this.tangle, passed, this.calm.matches);
    if (this.selected && this._conesVersion !== this.tangle.version && now - this._conesAt > CONES_MS) {
      this._cones(now);
    }
    const changed = this._version !== this.tangle.version;
    this._dirty ||= moved || changed || this._births > 0;
    if (!this._dirty || now < this._notBefore) return;
    this._dirty = false;
    this._version = this.tangle.version;
    const began = performance.now();
    this._draw(began);
    const cost = performance.now() - began;
    // Drawing never takes more than half of the time: events come first, and fewer frames are still right.
    this._notBefore = cost > COSTLY_MS ? now + 2 * cost : 0;
    this.frames += 1;
    this.onFrame();
  }

  _cones(now) {
    this._conesAt = now;
    this._conesVersion = this.tangle.version;
    this.past = this.selected ? this.tangle.pastCone(this.selected) : new Set();
    this.future = this.selected ? this.tangle.futureCone(this.selected) : new Set();
    this._dirty = true;
  }

  _draw(now) {
    const { pen, view, theme } = this;
    pen.setTransform(this.density, 0, 0, this.density, 0, 0);
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, view.width, view.height);
    this._look();
    this._milestones();
    this._edges();
    this._blocks(now);
    this._marks();
  }

  /** Find what is in sight, and how large it can be drawn. */
  _look() {
    const { view } = this;
    const from = view.x(-20);
    const to = view.x(view.width + 20);
    this.seen = this.tangle.blocks.filter((block) => block.x >= from && block.x <= to);
    const room = Math.sqrt((view.width * view.height * view.tall) / Math.max(this.seen.length, 1));
    const wanted = Math.min(Math.max(Math.min(0.2 * room, 1.5 + 0.11 * view.scale), RADIUS_MIN), RADIUS_MAX);
    // Sizes are steps, and a step is taken late: each size is drawn only once, and none flickers.
    if (Math.abs(wanted - this.radius) > 0.6) this.radius = Math.round(2 * wanted) / 2;
  }

  _milestones() {
    const { pen, view, theme } = this;
    let written = -Infinity;
    pen.lineWidth = 1;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "top";
    for (const block of this.seen) {
      if (block.payload !== "milestone") continue;
      const px = Math.round(view.px(block.x)) + 0.5;
      pen.globalAlpha = 0.3;
      pen.strokeStyle = theme.milestone;
      pen.setLineDash([3, 5]);
      pen.beginPath();
      pen.moveTo(px, 34);
      pen.lineTo(px, view.height);
      pen.stroke();
      if (block.milestoneIndex === null || px - written < LABEL_GAP) continue;
      written = px;
      pen.globalAlpha = 1;
      pen.textAlign = "center";
      pen.fillStyle = theme.text;
      pen.fillText(`#${block.milestoneIndex}`, px, 6);
      pen.fillStyle = theme.muted;
      pen.fillText(clock(block.receivedMs), px, 19);
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  _edges() {
    const { pen, theme } = this;
    const plain = new Path2D();
    const past = new Path2D();
    const future = new Path2D();
    for (const block of this.seen) {
      for (const parent of block.parents) this._edge(this._coneOf(block, parent, past, future) ?? plain, block, parent);
    }
    const crowd = Math.min(Math.max(9 / Math.sqrt(this.seen.length + 1), 0.25), 0.7);
    pen.strokeStyle = theme.edge;
    pen.lineWidth = crowd > 0.4 ? 1.3 : 1;
    pen.globalAlpha = this.selected ? 0.13 : crowd;
    pen.stroke(plain);
    if (!this.selected) {
      pen.globalAlpha = 1;
      return;
    }
    pen.globalAlpha = 0.85;
    pen.lineWidth = 1.5;
    pen.strokeStyle = theme.past;
    pen.stroke(past);
    pen.setLineDash([5, 3]);
    pen.strokeStyle = theme.future;
    pen.stroke(future);
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  _coneOf(block, parent, past, future) {
    if (!this.selected) return null;
    if (block === this.selected || this.past.has(block)) return past;
    if (this.future.has(block) && (parent === this.selected || this.future.has(parent))) return future;
    return null;
  }

  _edge(path, block, parent) {
    const { view } = this;
    path.moveTo(view.px(block.x), view.py(block.y));
    path.lineTo(view.px(parent.x), view.py(parent.y));
  }

  _blocks(now) {
    const { pen, view, radius } = this;
    this._births = 0;
    for (const block of this.seen) {
      const glyph = this.glyphs.of(block.payload, level(block), radius);
      const age = now - block.heardMs;
      let alpha = 1;
      if (age < BIRTH_MS && !this.calm.matches) {
        alpha = 0.2 + (0.8 * age) / BIRTH_MS;
        this._births += 1;
      }
      if (this.selected && block !== this.selected && !this.past.has(block) && !this.future.has(block)) alpha *= 0.22;
      pen.globalAlpha = alpha;
      pen.drawImage(
        glyph.image,
        view.px(block.x) - glyph.half,
        view.py(block.y) - glyph.half,
        2 * glyph.half,
        2 * glyph.half,
      );
    }
    pen.globalAlpha = 1;
  }

  /** Rings around what is selected and what the pointer is over. */
  _marks() {
    const { pen, theme } = this;
    if (this.selected && this.tangle.byId.has(this.selected.id)) this._ring(this.selected, theme.focus, 2.5, 6);
    if (this.hovered && this.hovered !== this.selected) this._ring(this.hovered, theme.text, 1.2, 4);
    pen.lineWidth = 1;
  }

  _ring(block, colour, width, away) {
    const { pen, view } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.arc(view.px(block.x), view.py(block.y), radiusOf(block.payload, this.radius) + away, 0, 2 * Math.PI);
    pen.stroke();
  }
}
