/** Small plots of the last minutes: one sample a second, drawn as lines, with the newest value in words. */

import { drawn, element } from "./dom.js";
import { seconds, whole } from "./words.js";

/** samples kept, one a second */
const SAMPLES = 180;
/** samples that fill the width, at least */
const SAMPLES_MIN = 40;
const WIDTH = 180;
const HEIGHT = 44;

function medianSeconds(times, tangle) {
  const middle = times.median(tangle.now());
  return middle === null ? null : middle / 1_000;
}

const rate = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)}/s`;

const PLOTS = [
  {
    id: "rate",
    title: "Blocks per second",
    say: rate,
    lines: [
      { name: "new", of: (metrics) => metrics.blocksPerSecond },
      { name: "referenced", of: (metrics) => metrics.referencedBlocksPerSecond },
    ],
  },
  { id: "tips", title: "Tips", say: whole, lines: [{ name: "blocks nobody approves yet", of: (metrics) => metrics.tips }] },
  {
    id: "age",
    title: "Milestone age",
    say: (value) => (value < 1 ? `${value.toFixed(1)} s` : seconds(value)),
    lines: [{ name: "since the newest", of: (metrics) => metrics.milestoneAgeSeconds }],
  },
  {
    id: "times",
    title: "Time to confidence",
    say: seconds,
    lines: [
      { name: "95 %", of: (_, tangle) => medianSeconds(tangle.sureTimes, tangle) },
      { name: "milestone", of: (_, tangle) => medianSeconds(tangle.referencedTimes, tangle) },
    ],
  },
];

export class Plots {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.plots = PLOTS.map((plot) => new Plot(plot));
    place.append(...this.plots.map((plot) => plot.node));
  }

  /** Take one sample. */
  add(metrics, tangle) {
    for (const plot of this.plots) plot.add(metrics, tangle);
  }
}

class Plot {
  constructor({ id, title, say, lines }) {
    this.title = title;
    this.say = say;
    this.lines = lines.map((line) => ({ ...line, values: [], drawn: drawn("polyline") }));
    this.lines.slice(1).forEach((line) => line.drawn.setAttribute("class", "second"));
    this.now = element("span", { class: "now", id: `plot-${id}` }, "–");
    this.most = element("span", { class: "most" });
    const key = this.lines.map((line, i) => element("span", { class: i ? "second-key" : "first-key" }, line.name));
    this.picture = drawn(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      drawn("line", { class: "floor", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
      ...this.lines.map((line) => line.drawn),
    );
    this.node = element(
      "div",
      { class: "plot" },
      element("h2", {}, title),
      this.now,
      this.picture,
      element("div", { class: "key" }, ...key, this.most),
    );
  }

  add(metrics, tangle) {
    for (const line of this.lines) {
      line.values.push(line.of(metrics, tangle));
      if (line.values.length > SAMPLES) line.values.shift();
    }
    const known = this.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const top = niceAbove(Math.max(...known, 0));
    for (const line of this.lines) line.drawn.setAttribute("points", points(line.values, top));
    const newest = this.lines.map((line) => line.values.at(-1)).map((value) => (value === null ? "–" : this.say(value)));
    this.now.textContent = newest.join(" · ");
    this.most.textContent = `top ${this.say(top)}`;
    this.picture.setAttribute(
      "aria-label",
      `${this.title}: ${this.lines.map((line, i) => `${line.name} ${newest[i]}`).join(", ")}`,
    );
  }
}

/** The newest sample stands at the right edge; samples without a value are left out. */
function points(values, top) {
  const wide = Math.max(values.length, SAMPLES_MIN);
  const x = (i) => (((wide - values.length + i) * WIDTH) / (wide - 1)).toFixed(1);
  return values.map((value, i) => (value === null ? "" : `${x(i)},${y(value, top)}`)).join(" ");
}

function y(value, top) {
  return (HEIGHT - (value / top) * (HEIGHT - 3)).toFixed(1);
}

/** 1, 2 or 5 times a power of ten that is not below `value`. */
function niceAbove(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}
