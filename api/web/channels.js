/** The page of channels: the way in, what the worker found, and plots of the numbers in it. */

import { byId, element } from "./dom.js";
import { Fields } from "./fields.js";
import { bytesOf, clock, short, whole } from "./words.js";

const KEY = /^(0x)?[0-9a-f]{64}$/;
const RESTRICTED = 2;
/** messages shown; older ones are counted */
const SHOWN_MAX = 300;
const TEXT_MAX = 4_000;
const DEPTH_MAX = 3;

const STATES = {
  connecting: "connecting",
  reading: "reading history",
  live: "live",
  closed: "side key changed",
  lost: "node not reached",
  refused: "side key refused",
};
const CHECKS = [
  "unmasked with the key of this tree, unaltered",
  "signed by the writer with the key of this index",
  "its key belongs to the tree of the root",
  "in order: nothing before it is missing that is not reported",
];
const SKIPPED = {
  not_a_message: "not a message",
  mask_invalid: "not masked with this key, or altered",
  layout_invalid: "fields that no writer makes",
  path_invalid: "signed for another channel or tree",
  forged_signature: "forged signatures",
  nonce_invalid: "masked again by a reader",
  misplaced: "contradictions of the writer",
  written_elsewhere: "written for another network, copied here",
};

const fields = new Fields(byId("fields"));
/** what is known of the open channel */
const channel = { state: "idle", counts: null, rekeyable: false, root: "", mode: 0 };
let worker = null;

/** Bytes of what a field holds, or null after saying what is wrong with it. */
function keyOf(name, what) {
  const field = byId(name);
  const text = field.value.trim().toLowerCase();
  const wrong = KEY.test(text) ? "" : `The ${what} is 32 bytes: 64 hexadecimal digits. Here are ${text.length ? `${text.length} characters` : "none"}.`;
  byId(`${name}-wrong`).textContent = wrong;
  field.setAttribute("aria-invalid", String(wrong !== ""));
  return wrong ? null : bytesOf(text.startsWith("0x") ? text : `0x${text}`);
}

function open() {
  const mode = Number(document.querySelector("input[name=mode]:checked").value);
  const root = keyOf("root", "root");
  const sideKey = mode === RESTRICTED ? keyOf("side-key", "side key") : null;
  if (root === null || (mode === RESTRICTED && sideKey === null)) return;
  if (channel.rekeyable && channel.root === String(root)) {
    worker.postMessage({ kind: "sideKey", sideKey });
    return;
  }
  worker?.terminate();
  worker = new Worker(new URL("channel-worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }) => (data.kind === "events" ? take(data) : say(data.state));
  worker.onerror = () => say("lost");
  Object.assign(channel, { counts: null, rekeyable: false, root: String(root), mode });
  fields.clear();
  byId("messages").replaceChildren();
  say("reading");
  worker.postMessage({ kind: "open", mode, root, sideKey });
  // The address of a public channel is no secret; that of the others would be in the browser's history.
  history.replaceState(null, "", mode === 0 ? `#${byId("root").value.trim()}` : location.pathname);
}

function take({ events, counts, rekeyable }) {
  channel.counts = counts;
  channel.rekeyable = rekeyable;
  const rows = [];
  for (const event of events) {
    if (event.type === "message") rows.push(messageRow(event));
    else if (event.type === "gap") rows.push(gapRow(event));
    else if (event.type === "fork") rows.push(forkRow(event));
    else if (event.type === "rekeyed") rows.push(rekeyedRow(event));
  }
  const list = byId("messages");
  list.prepend(...rows.slice(-SHOWN_MAX).reverse());
  while (list.childElementCount > SHOWN_MAX) list.lastElementChild.remove();
  show();
}

function say(state) {
  const wrong = "This is not the side key that the writer commits to in that message: it is mistyped, or not for this channel.";
  byId("side-key-wrong").textContent = state === "refused" ? wrong : "";
  byId("side-key").setAttribute("aria-invalid", String(state === "refused"));
  channel.state = state;
  show();
}

function show() {
  const { state, counts } = channel;
  const pill = byId("status");
  pill.dataset.state = state;
  pill.textContent = STATES[state] ?? state;
  byId("progress").textContent = counts ? `${whole(counts.messages)} messages · ${whole(counts.read)} blocks read` : "";
  byId("verdict").hidden = counts === null;
  if (counts) showVerdict(counts);
  showNotice();
  byId("go").textContent = channel.rekeyable ? "Go on with the new side key" : "Follow";
}

function showVerdict({ messages, gaps, forks, repeated, skipped }) {
  const [state, text] = forks
    ? ["bad", "The writer signed two messages with one index. The first that this node had counts here."]
    : gaps
      ? ["wait", "All messages shown are the writer's, but some are missing."]
      : messages
        ? ["good", "All messages are the writer's, unaltered, in order, and none between them is missing."]
        : ["wait", "Nothing verified yet."];
  const verdict = byId("verdict-text");
  verdict.dataset.state = state;
  verdict.textContent = text;
  const rows = [["Verified", messages], ["Gaps", gaps], ["Forks", forks], ["Repetitions", repeated]];
  for (const [code, count] of Object.entries(skipped)) rows.push([`Skipped: ${SKIPPED[code] ?? code}`, count]);
  byId("counts").replaceChildren(...rows.flatMap(([name, count]) => [element("dt", {}, name), element("dd", {}, whole(count))]));
}

function showNotice() {
  const notice = byId("notice");
  const words = noticeWords();
  notice.hidden = words === null;
  if (words === null) return;
  notice.dataset.state = words.bad ? "bad" : "";
  notice.replaceChildren(element("strong", {}, words.title), words.text);
}

function noticeWords() {
  const { state, counts } = channel;
  if (byId("messages").childElementCount || state === "idle") return state === "idle" ? IDLE : null;
  if (state === "lost") return { bad: true, title: "The node does not answer.", text: "The page goes on as soon as it does." };
  if (state !== "live") return { title: "Reading …", text: "The history of the channel is read first." };
  const junk = Object.values(counts?.skipped ?? {}).reduce((sum, count) => sum + count, 0);
  if (junk) {
    return {
      bad: true,
      title: "Nothing here can be decoded with this.",
      text: `${whole(junk)} blocks lie under the address, and none is a message of this channel.`,
    };
  }
  return {
    title: "Nothing lies under this address yet.",
    text:
      channel.mode === RESTRICTED
        ? "If the channel has messages, root, mode or side key is another one: a wrong side key leads to another address."
        : "If the channel has messages, the root or the mode is another one. New messages appear here as they come.",
  };
}

const IDLE = {
  title: "Follow a channel.",
  text:
    "Enter the root that its writer gave you. Its messages appear here as they come, in order, each with what was " +
    "verified; numbers in them are drawn over time.",
};

function row(state, index, words, receivedMs, ...more) {
  return element(
    "li",
    { class: "message new", "data-state": state, "data-index": index },
    element("span", { class: "index" }, `#${index}`),
    element("span", { class: "state" }, words),
    element("span", { class: "when", title: "when the node took it" }, receivedMs ? clock(receivedMs) : ""),
    ...more,
  );
}

function messageRow({ index, body, sources, late, receivedMs }) {
  const text = textOf(body);
  const value = text === null ? undefined : valueOf(text);
  if (value !== undefined) fields.add(value, receivedMs);
  const checks = late ? CHECKS.slice(0, 3).concat("late: it was given up as missing before") : CHECKS;
  return row(
    "verified",
    index,
    late ? "✓ verified, late" : "✓ verified",
    receivedMs,
    bodyOf(body, text, value),
    element("details", {}, element("summary", {}, "What was verified"), element("ul", {}, ...checks.map((check) => element("li", {}, check))), blocksOf(sources)),
  );
}

function gapRow({ first, last }) {
  const which = first === last ? `#${first}` : `#${first} to #${last}`;
  return row("gap", first, `missing: ${which}`, null, element("div", { class: "body muted" }, "Later messages are here, this is not. It may still come."));
}

function forkRow({ index, sources, receivedMs }) {
  const words = element("div", { class: "body muted" }, "The writer signed two different messages with this index: ", blocksOf(sources));
  return row("fork", index, "fork", receivedMs, words);
}

function rekeyedRow({ index, sources, receivedMs }) {
  const text =
    "From here on the channel has a new side key. It was handed to the subscribers in boxes that only they can open. " +
    "Enter the new side key to read on; without it, reading ends here.";
  return row("rekeyed", index, "side key changed", receivedMs, element("div", { class: "body muted" }, text), blocksOf(sources));
}

function blocksOf(sources) {
  const links = [...new Set(sources)].map((id) => element("a", { href: `./#${id}` }, element("code", {}, short(id))));
  return element("span", { class: "links" }, ...links.flatMap((link) => [link, " "]));
}

function bodyOf(body, text, value) {
  if (!body.length) return element("div", { class: "body muted" }, "empty");
  if (text === null) return element("div", { class: "body muted" }, `${whole(body.length)} bytes that are no text`);
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return pairsOf(value);
  const shown = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
  return element("div", { class: "body" }, element("code", {}, shown));
}

function pairsOf(value) {
  const pairs = flat(value).map(([name, inner]) => {
    const text = typeof inner === "string" ? inner : JSON.stringify(inner);
    return element("div", {}, element("dt", {}, name), element("dd", {}, text.slice(0, TEXT_MAX)));
  });
  return element("dl", { class: "body pairs" }, ...pairs);
}

/** Members by their path; what lies deeper, and lists, stay JSON. */
function flat(value, path = "", depth = 0) {
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = path ? `${path}.${name}` : name;
    const plain = inner === null || typeof inner !== "object" || Array.isArray(inner) || depth === DEPTH_MAX;
    return plain ? [[here, inner]] : flat(inner, here, depth + 1);
  });
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What a text is as JSON; undefined where it is none. */
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function showMode() {
  const mode = Number(document.querySelector("input[name=mode]:checked").value);
  byId("side-key-part").hidden = mode !== RESTRICTED;
}

byId("open").addEventListener("submit", (event) => {
  event.preventDefault();
  open();
});
for (const choice of document.querySelectorAll("input[name=mode]")) choice.addEventListener("change", showMode);
for (const name of ["root", "side-key"]) {
  byId(name).addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      byId("open").requestSubmit();
    }
  });
}
showMode();
const linked = location.hash.slice(1).toLowerCase();
if (KEY.test(linked)) {
  byId("root").value = linked;
  open();
}

/** For the console, and for tests: what is known of the open channel, and its numbers. */
globalThis.channelPage = { channel, fields };
