/** Numbers in messages over time: which there are, and a plot of each. */

import { drawn, element } from "./dom.js";
import { clock } from "./words.js";

/** plots shown; channels with more numbers than that are read as tables */
const PLOTS_MAX = 8;
/** points kept of each field; the older ones go */
const POINTS_MAX = 5_000;
/** columns of a drawing: of more points than that, the least and the greatest of each column are drawn */
const COLUMNS = 300;
const DEPTH_MAX = 4;
const WIDTH = 600;
const HEIGHT = 150;
/** names under which a body tells its own time, the best first */
const TIMES = ["at", "time", "timestamp", "ts", "date"];
/** seconds since the epoch up to here, milliseconds above */
const SECONDS_MAX = 1e11;

/**
 * The numbers of a body by their path, such as `engine.pressure`.
 * @param {unknown} value parsed JSON
 * @returns {[string, number][]}
 */
export function numbersOf(value, path = "", depth = 0) {
  if (typeof value === "number" && Number.isFinite(value)) return [[path || "value", value]];
  if (value === null || typeof value !== "object" || depth === DEPTH_MAX) return [];
  return Object.entries(value)
    .filter(([name]) => depth || !TIMES.includes(name))
    .flatMap(([name, inner]) => numbersOf(inner, path ? `${path}.${name}` : name, depth + 1));
}

/** When a body says that it was measured, in milliseconds, or null. */
export function timeOf(value) {
  if (value === null || typeof value !== "object") return null;
  for (const name of TIMES) {
    const told = value[name];
    if (typeof told === "number" && told > 0) return told < SECONDS_MAX ? 1_000 * told : told;
    const parsed = typeof told === "string" ? Date.parse(told) : NaN;
    if (!Number.isNaN(parsed)) return parsed;
  }
  return null;
}

export class Fields {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.clear();
  }

  clear() {
    this.fields = new Map();
    this.place.replaceChildren();
    this._due = false;
  }

  /** Take the numbers of one message. */
  add(value, receivedMs) {
    const at = timeOf(value) ?? receivedMs;
    if (!at) return;
    for (const [name, number] of numbersOf(value)) {
      let field = this.fields.get(name);
      if (!field) {
        if (this.fields.size === PLOTS_MAX) continue;
        field = new Field(name);
        this.fields.set(name, field);
        this.place.append(field.node);
      }
      field.add(at, number);
    }
    if (this._due) return;
    this._due = true;
    requestAnimationFrame(() => {
      this._due = false;
      for (const field of this.fields.values()) field.draw();
    });
  }
}

class Field {
  constructor(name) {
    this.name = name;
    /** @type {[number, number][]} time and value, in order of time */
    this.points = [];
    this.now = element("output", {}, "–");
    this.at = element("span", { class: "at" });
    this.line = drawn("polyline", { class: "line" });
    this.mark = drawn("line", { class: "mark", y1: 0, y2: HEIGHT, visibility: "hidden" });
    this.grid = drawn("g", { class: "grid" });
    this.picture = drawn(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      this.grid,
      this.mark,
      this.line,
    );
    this.scale = element("div", { class: "scale" }, this.picture);
    this.times = [element("span"), element("span")];
    this.node = element(
      "section",
      { class: "field", "data-field": name },
      element("header", {}, element("h2", { title: name }, name), this.at, this.now),
      this.scale,
      element("div", { class: "times" }, ...this.times),
    );
    this.picture.addEventListener("pointermove", (event) => this.point(event));
    this.picture.addEventListener("pointerleave", () => this.say(this.points.at(-1), null));
  }

  add(at, value) {
    const { points } = this;
    let place = points.length;
    while (place > 0 && points[place - 1][0] > at) place -= 1;
    points.splice(place, 0, [at, value]);
    if (points.length > POINTS_MAX) points.shift();
  }

  draw() {
    const values = this.points.map(([, value]) => value);
    this.ticks = ticksOf(Math.min(...values), Math.max(...values));
    const [first, last] = [this.points[0][0], this.points.at(-1)[0]];
    this.from = first;
    this.span = last - first || 1;
    this.line.setAttribute("points", thinned(this.points, (at) => this.x(at)).map(([at, value]) => `${this.x(at).toFixed(1)},${this.y(value).toFixed(1)}`).join(" "));
    if (this.points.length === 1) this.line.setAttribute("points", `0,${this.y(values[0])} ${WIDTH},${this.y(values[0])}`);
    this.grid.replaceChildren(...this.ticks.map((tick) => drawn("line", { x1: 0, x2: WIDTH, y1: this.y(tick), y2: this.y(tick) })));
    this.scale.replaceChildren(this.picture, ...this.ticks.map((tick) => this.label(tick)));
    const day = last - first > 86_400_000;
    this.times[0].textContent = moment(first, day);
    this.times[1].textContent = this.points.length > 1 ? moment(last, day) : "";
    this.say(this.points.at(-1), null);
    this.picture.setAttribute("aria-label", `${this.name}: ${this.points.length} values, the newest ${tell(values.at(-1))}`);
  }

  /** Labels are HTML, so that they are not stretched with the drawing. */
  label(tick) {
    const text = element("span", {}, tell(tick));
    text.style.top = `${this.y(tick)}px`;
    return text;
  }

  x(at) {
    return 48 + ((at - this.from) / this.span) * (WIDTH - 54);
  }

  y(value) {
    const [low, high] = [this.ticks[0], this.ticks.at(-1)];
    return HEIGHT - 8 - ((value - low) / (high - low)) * (HEIGHT - 16);
  }

  /** Tell of the point nearest to the pointer. */
  point(event) {
    const box = this.picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const nearest = this.points.reduce((best, one) => (Math.abs(this.x(one[0]) - x) < Math.abs(this.x(best[0]) - x) ? one : best));
    this.say(nearest, this.x(nearest[0]));
  }

  say([at, value], mark) {
    this.now.textContent = tell(value);
    this.at.textContent = mark === null ? "" : moment(at, false);
    this.mark.setAttribute("visibility", mark === null ? "hidden" : "visible");
    this.mark.setAttribute("x1", mark ?? 0);
    this.mark.setAttribute("x2", mark ?? 0);
  }
}

/** Of more points than columns, the least and the greatest of each column, in order. */
function thinned(points, x) {
  if (points.length <= 2 * COLUMNS) return points;
  const columns = new Map();
  for (const point of points) {
    const column = Math.floor((x(point[0]) / WIDTH) * COLUMNS);
    const kept = columns.get(column);
    if (!kept) columns.set(column, [point, point]);
    else if (point[1] < kept[0][1]) kept[0] = point;
    else if (point[1] > kept[1][1]) kept[1] = point;
  }
  return [...columns.values()].flatMap((pair) => pair.sort((one, other) => one[0] - other[0]));
}

/** Three to six round numbers around a range. */
function ticksOf(least, greatest) {
  const range = greatest - least || Math.abs(greatest) || 1;
  const power = 10 ** Math.floor(Math.log10(range / 3));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => range / one <= 4);
  const low = Math.floor(least / step);
  const high = Math.max(Math.ceil(greatest / step), low + 1);
  return Array.from({ length: high - low + 1 }, (_, i) => Number(((low + i) * step).toPrecision(12)));
}

function tell(value) {
  return new Intl.NumberFormat("en", { maximumSignificantDigits: 6 }).format(value);
}

function moment(ms, withDay) {
  return withDay ? new Date(ms).toLocaleDateString([], { day: "2-digit", month: "short" }) : clock(ms);
}
