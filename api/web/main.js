/** The page put together: one model, one source that changes it, and the views that show it. */

import { Details } from "./details.js";
import { byId, element } from "./dom.js";
import { drawGlyph } from "./glyphs.js";
import { Picture } from "./picture.js";
import { Plots } from "./plots.js";
import { getJson, Source } from "./source.js";
import { KEPT_MAX, KEPT_MAX_PAUSED, LEVELS, level, share, Tangle } from "./tangle.js";
import { listenToKeys, listenToPointer } from "./touch.js";
import { View } from "./view.js";
import { clock, KIND_NAMES, LEVEL_NAMES, percent, short, whole } from "./words.js";

const ID = /^0x[0-9a-f]{64}$/;
const POSITION_MS = 250;
const PREFIX = /^(0x)?[0-9a-f]{4,64}$/;

const tangle = new Tangle(() => performance.now());
const view = new View();
const picture = new Picture(byId("picture"), tangle, view);
const plots = new Plots(byId("plots"));
const details = new Details(byId("details"), picture, { open, close: () => select(null) });
const source = new Source({
  onSnapshot(slice) {
    tangle.begin(slice);
    view.follow();
    showFollowing();
    const again = details.id && tangle.byId.get(details.id);
    picture.select(again ?? null);
  },
  onEvent(event, live) {
    const block = tangle.apply(event, live);
    if (block !== null && block.id === details.id) details.refresh();
  },
  onMetrics(metrics) {
    plots.add(metrics, tangle);
  },
  onInfo(info) {
    details.info = info;
    byId("network").textContent = info.protocol.networkName;
    document.title = `Tangle · ${info.protocol.networkName}`;
  },
  onState: showState,
});

function showState(state) {
  const pill = byId("status");
  pill.dataset.state = state;
  pill.textContent = { lost: "node not reached", live: "live" }[state] ?? state;
  byId("lost").hidden = state !== "lost";
  if (state === "lost" && !byId("lost-since").textContent) {
    byId("lost-since").textContent = `Since ${clock(Date.now())}.`;
  }
  if (state !== "lost") byId("lost-since").textContent = "";
  showPosition();
}

function showPosition() {
  byId("position").textContent = `event ${whole(source.last ?? 0)} · ${whole(source.behind)} behind`;
  byId("empty").hidden = source.last === null || tangle.blocks.length > 0;
  picture.canvas.setAttribute(
    "aria-label",
    `The Tangle: ${whole(tangle.blocks.length)} blocks drawn, ${view.following ? "following the newest" : "standing still"}`,
  );
}

function showFollowing() {
  const button = byId("follow");
  button.setAttribute("aria-pressed", String(view.following));
  button.textContent = view.following ? "Pause" : "Go live";
  tangle.keptMax = view.following ? KEPT_MAX : KEPT_MAX_PAUSED;
  picture.touch();
}

function follow() {
  view.follow();
  showFollowing();
}

function toggle() {
  if (view.following) view.hold();
  else view.follow();
  showFollowing();
}

function fit() {
  view.fit(tangle);
  showFollowing();
}

/** Select a kept block, or none.  @param {import("./tangle.js").Block|null} block */
function select(block, byKey = false) {
  if (!block) {
    const focused = byId("details").contains(document.activeElement);
    picture.select(null);
    details.close();
    history.replaceState(null, "", location.pathname);
    if (focused) picture.canvas.focus();
    return;
  }
  // First the panel, which takes some of the width, then the view.
  show(block.id);
  picture.measure();
  view.reveal(block);
  showFollowing();
  picture.select(block);
  if (byKey) speak(`${KIND_NAMES[block.payload]}, ${short(block.id)}, ${LEVEL_NAMES[level(block)]}`);
}

function show(id) {
  details.open(id);
  history.replaceState(null, "", `#${id}`);
}

/** Show the block with this id, kept or not. */
function open(id) {
  const block = tangle.byId.get(id);
  if (block) {
    select(block, true);
    return;
  }
  picture.select(null);
  show(id);
}

function hover(block, px, py) {
  const hint = byId("hint");
  hint.hidden = !block;
  if (picture.hovered !== block) picture.touch();
  picture.hovered = block;
  if (!block) return;
  const index = block.milestoneIndex === null ? "" : ` #${block.milestoneIndex}`;
  const sure = block.inclusion === "conflicting" ? "conflicting" : `confidence ${percent(share(block))}`;
  hint.textContent = `${KIND_NAMES[block.payload]}${index} · ${short(block.id)} · ${sure}`;
  const left = Math.min(px + 16, view.width - hint.offsetWidth - 8);
  hint.style.transform = `translate(${left}px, ${Math.max(py - 36, 4)}px)`;
}

function speak(text) {
  byId("spoken").textContent = text;
}

async function search(text) {
  const field = byId("wanted");
  const found = await find(text.trim().toLowerCase());
  field.setCustomValidity(found ?? "");
  if (found) {
    field.reportValidity();
    speak(found);
  }
}

/** Open what a text names; returns why that cannot be, or null. */
async function find(text) {
  const index = /^#\d{1,10}$/.test(text) ? Number(text.slice(1)) : null;
  if (index !== null) {
    const block = tangle.milestone(index);
    if (block) open(block.id);
    return block ? null : `Milestone #${index} is not among the drawn blocks.`;
  }
  if (!PREFIX.test(text)) return "A block id is 0x and 64 hexadecimal digits; the first four are enough for a drawn one.";
  const id = text.startsWith("0x") ? text : `0x${text}`;
  const kept = tangle.beginningWith(id);
  if (kept) {
    open(kept.id);
    return null;
  }
  if (!ID.test(id)) return "No drawn block begins so. Give the whole id to ask the node.";
  try {
    await getJson(`/api/core/v2/blocks/${id}/metadata`);
    open(id);
    return null;
  } catch (error) {
    return error.status === 404 ? "This node has no block with this id." : "The node does not answer at the moment.";
  }
}

function legendRow(kind, sure, text) {
  const canvas = element("canvas", { width: "44", height: "36", "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  drawGlyph(pen, 11, 9, kind, sure, 6, picture.theme);
  return element("li", {}, canvas, text);
}

function drawLegend() {
  const shapes = ["taggedData", "transaction", "none", "milestone"];
  byId("legend-shapes").replaceChildren(...shapes.map((kind) => legendRow(kind, "referenced", KIND_NAMES[kind])));
  const levels = [...LEVELS, "conflict"];
  byId("legend-levels").replaceChildren(
    ...levels.map((sure) => legendRow(sure === "conflict" ? "transaction" : "taggedData", sure, LEVEL_NAMES[sure])),
  );
}

listenToPointer(picture, view, { select, hover, moved: showFollowing, toggle, follow, fit });
listenToKeys(picture, view, { select, hover, moved: showFollowing, toggle, follow, fit });
byId("follow").addEventListener("click", toggle);
byId("fit").addEventListener("click", fit);
for (const [id, factor] of [["zoom-in", 1.4], ["zoom-out", 1 / 1.4]]) {
  byId(id).addEventListener("click", () => {
    view.zoom(factor);
    showFollowing();
  });
}
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search(byId("wanted").value);
});
byId("wanted").addEventListener("input", () => byId("wanted").setCustomValidity(""));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") select(null);
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("wanted").focus();
  }
});
addEventListener("hashchange", () => ID.test(location.hash.slice(1)) && open(location.hash.slice(1)));
matchMedia("(prefers-color-scheme: light)").addEventListener("change", drawLegend);
if (innerWidth < 900) byId("legend").removeAttribute("open");

drawLegend();
picture.start();
source.start();
setInterval(showPosition, POSITION_MS);
const linked = location.hash.slice(1);
if (ID.test(linked)) show(linked);

/** For the console, and for tests: the parts of the page. */
globalThis.tanglePage = { tangle, view, picture, source, details };
