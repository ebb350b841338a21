/**
 * How a block looks: its shape says what it carries, its filling how sure it is.
 *
 * Shapes are drawn once per look and size and then copied, which is what keeps thousands of them smooth. Shape and
 * filling carry everything that colour carries.
 */

/** by payload kind */
const SHAPES = { taggedData: "circle", transaction: "square", none: "triangle", milestone: "diamond" };

/** how much larger a milestone is */
const MILESTONE = 1.7;
const MARGIN = 3;

/** The colours of the style sheet, as they are now. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: of("ground"),
    text: of("text"),
    muted: of("muted"),
    line: of("line"),
    edge: of("edge"),
    focus: of("focus"),
    milestone: of("milestone"),
    past: of("past"),
    future: of("future"),
    new: of("level-new"),
    half: of("level-half"),
    sure: of("level-sure"),
    referenced: of("level-referenced"),
    conflict: of("conflict"),
  };
}

/** Radius of a block in pixels.  @param {string} kind @param {number} radius of ordinary ones */
export function radiusOf(kind, radius) {
  return kind === "milestone" ? Math.max(radius * MILESTONE, 5) : radius;
}

export class Glyphs {
  /** @param {ReturnType<typeof readTheme>} theme @param {number} density pixels of the screen per pixel */
  constructor(theme, density) {
    this.theme = theme;
    this.density = density;
    this._drawn = new Map();
  }

  /** The picture of a block and half its side.  @param {string} kind @param {string} level @param {number} radius */
  of(kind, level, radius) {
    const key = `${kind} ${level} ${radius}`;
    let glyph = this._drawn.get(key);
    if (!glyph) {
      glyph = this._draw(kind, level, radius);
      this._drawn.set(key, glyph);
    }
    return glyph;
  }

  _draw(kind, level, radius) {
    const r = radiusOf(kind, radius);
    const half = Math.ceil(r + MARGIN);
    const image = document.createElement("canvas");
    image.width = image.height = 2 * half * this.density;
    const pen = image.getContext("2d");
    pen.scale(this.density, this.density);
    drawGlyph(pen, half, half, kind, level, r, this.theme);
    return { image, half };
  }
}

/** Draw one block.  @param {CanvasRenderingContext2D} pen */
export function drawGlyph(pen, x, y, kind, level, r, theme) {
  const shape = new Path2D();
  outline(shape, x, y, SHAPES[kind] ?? "circle", r);
  const colour = kind === "milestone" && level !== "conflict" ? theme.milestone : theme[level];
  pen.lineWidth = Math.max(1.2, r * 0.26);
  pen.lineJoin = "round";
  pen.fillStyle = theme.ground;
  pen.fill(shape);
  if (level !== "new") {
    pen.save();
    pen.fillStyle = colour;
    // Half sure is half full.
    if (level === "half") {
      pen.beginPath();
      pen.rect(x - 2 * r, y, 4 * r, 2 * r);
      pen.clip();
    }
    pen.fill(shape);
    pen.restore();
  }
  pen.strokeStyle = colour;
  pen.stroke(shape);
  if (level === "conflict") cross(pen, x, y, r, theme);
}

function outline(path, x, y, shape, r) {
  if (shape === "circle") {
    path.arc(x, y, r, 0, 2 * Math.PI);
  } else if (shape === "square") {
    path.roundRect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r, 0.2 * r);
  } else {
    const corners =
      shape === "diamond"
        ? [[0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]]
        : [[0, -1.1], [1.05, 0.8], [-1.05, 0.8]];
    corners.forEach(([dx, dy], i) => (i ? path.lineTo(x + dx * r, y + dy * r) : path.moveTo(x + dx * r, y + dy * r)));
    path.closePath();
  }
}

function cross(pen, x, y, r, theme) {
  const d = 0.48 * r;
  pen.strokeStyle = theme.ground;
  pen.lineWidth = Math.max(1.3, 0.34 * r);
  pen.lineCap = "round";
  pen.beginPath();
  pen.moveTo(x - d, y - d);
  pen.lineTo(x + d, y + d);
  pen.moveTo(x + d, y - d);
  pen.lineTo(x - d, y + d);
  pen.stroke();
}
