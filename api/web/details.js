/**
 * What is known of one block: what it carries, what became of it, whom it approves and who approves it.
 *
 * The payload is asked for once. Metadata is asked for again while something can still happen to the block.
 */

import { bech32 } from "./bech32.js";
import { drawn, element } from "./dom.js";
import { drawGlyph } from "./glyphs.js";
import { at, getJson } from "./source.js";
import { level } from "./tangle.js";
import {
  bytesOf,
  clock,
  CONFLICTS,
  INCLUSION_NAMES,
  KIND_NAMES,
  LEVEL_NAMES,
  OUTPUT_NAMES,
  percent,
  short,
  textOf,
  whole,
} from "./words.js";

const AGAIN_MS = 1_500;
const SOON_MS = 60;
/** characters of data, inputs or outputs, and children that are shown */
const DATA_MAX = 4_000;
const ROWS_MAX = 12;
const KIND_OF_TYPE = { 5: "taggedData", 6: "transaction", 7: "milestone" };
const ADDRESS_IDS = { 0: "pubKeyHash", 8: "aliasId", 16: "nftId" };

export class Details {
  /**
   * @param {HTMLElement} place
   * @param {import("./picture.js").Picture} picture
   * @param {{open: (id: string) => void, close: () => void}} acts
   */
  constructor(place, picture, acts) {
    this.place = place;
    this.picture = picture;
    this.acts = acts;
    this.id = null;
    this.info = null;
    this._timer = 0;
  }

  close() {
    this.id = null;
    clearTimeout(this._timer);
    this.place.hidden = true;
    this.place.replaceChildren();
  }

  /** Show a block, kept or not.  @param {string} id */
  open(id) {
    clearTimeout(this._timer);
    this.id = id;
    this._relatives = "";
    this.parts = Object.fromEntries(
      ["state", "payload", "relatives"].map((name) => [name, element("section", { "data-part": name })]),
    );
    this.title = element("h2", {}, "Block");
    this.place.replaceChildren(
      element(
        "header",
        {},
        this.title,
        element("button", { type: "button", "aria-label": "Close", onclick: () => this.acts.close() }, "×"),
      ),
      element("span", { class: "id", id: "block-id" }, id),
      this.parts.state,
      this.parts.payload,
      this.parts.relatives,
      ...section("At the API", links(id)),
    );
    this.place.hidden = false;
    this.place.scrollTop = 0;
    this._payload(id);
    this._again(id);
  }

  /** Ask again soon: something happened to the block. */
  refresh() {
    clearTimeout(this._timer);
    this._timer = setTimeout((id) => this._again(id), SOON_MS, this.id);
  }

  async _payload(id) {
    try {
      const block = await getJson(`/api/core/v2/blocks/${id}`);
      if (this.id !== id) return;
      const kind = block.payload ? KIND_OF_TYPE[block.payload.type] : "none";
      this.title.textContent = KIND_NAMES[kind] ?? "Block";
      const rows = [...this._payloadRows(block.payload), ["Nonce", block.nonce]];
      this.parts.payload.replaceChildren(...section("Payload", list(rows)));
    } catch (error) {
      if (this.id === id) this.parts.payload.replaceChildren(element("p", {}, failure(error)));
    }
  }

  async _again(id) {
    clearTimeout(this._timer);
    if (this.id !== id) return;
    try {
      const metadata = await getJson(`/api/core/v2/blocks/${id}/metadata`);
      if (this.id !== id) return;
      this._state(metadata);
      this._family(metadata);
    } catch (error) {
      if (this.id !== id) return;
      if (error.status === 404) {
        this.parts.state.replaceChildren(element("p", {}, failure(error)));
        return;
      }
    }
    this._timer = setTimeout(() => this._again(id), AGAIN_MS);
  }

  _state(metadata) {
    const { confidence } = metadata;
    const inclusion = metadata.ledgerInclusionState;
    const block = this.picture.tangle.byId.get(this.id);
    const rows = [
      ["Confidence", confidenceNode(confidence)],
      ["Ledger", element("span", { class: inclusion ?? "" }, INCLUSION_NAMES[inclusion] ?? "not referenced yet")],
    ];
    if (metadata.conflictReason) {
      rows.push(["Conflict", `${CONFLICTS[metadata.conflictReason] ?? "unknown"} (${metadata.conflictReason})`]);
    }
    if (metadata.referencedByMilestoneIndex) {
      rows.push(["Referenced by", `milestone #${metadata.referencedByMilestoneIndex}`]);
    }
    if (metadata.milestoneIndex) rows.push(["Is milestone", `#${metadata.milestoneIndex}`]);
    if (block) rows.push(["Received", clock(block.receivedMs)]);
    if (metadata.shouldPromote) rows.push(["Advice", "promote: it falls behind"]);
    if (metadata.shouldReattach) rows.push(["Advice", "reattach: nobody will approve it any more"]);
    const badge = block ? badgeNode(block, this.picture.theme) : null;
    this.parts.state.replaceChildren(...section("State", ...(badge ? [badge] : []), list(rows)));
  }

  /** Parents and children; made anew only when they changed, so that a focus there stays. */
  _family(metadata) {
    const { tangle } = this.picture;
    const block = tangle.byId.get(this.id);
    const children = block ? block.children.map((child) => child.id) : [];
    const cones = block ? [tangle.pastCone(block).size, tangle.futureCone(block).size] : [0, 0];
    const now = `${children.length} ${cones} ${Boolean(block)}`;
    if (now === this._relatives) return;
    this._relatives = now;
    const counts = [
      element("span", { class: "past", id: "past-count" }, `past ${whole(cones[0])}`),
      element("span", { class: "future", id: "future-count" }, `future ${whole(cones[1])}`),
    ];
    const note = "Older than what is drawn: its cones are not shown.";
    this._keepFocus(() =>
      this.parts.relatives.replaceChildren(
        ...section("Cones among the drawn", block ? element("div", { class: "cones" }, ...counts) : element("p", {}, note)),
        ...section(`Approves ${metadata.parents.length}`, this._references(metadata.parents)),
        ...section(
          block ? `Approved by ${whole(children.length)}` : "Approved by",
          children.length ? this._references(children) : element("p", { class: "muted" }, "nobody among the drawn"),
        ),
      ),
    );
  }

  _keepFocus(change) {
    const held = this.parts.relatives.contains(document.activeElement) ? document.activeElement.dataset.block : null;
    change();
    if (held) this.parts.relatives.querySelector(`[data-block="${held}"]`)?.focus();
  }

  _references(ids) {
    const buttons = ids.slice(0, ROWS_MAX).map((id) =>
      element(
        "button",
        { type: "button", class: "reference", "data-block": id, title: id, onclick: () => this.acts.open(id) },
        short(id),
      ),
    );
    const more = ids.length > ROWS_MAX ? `and ${whole(ids.length - ROWS_MAX)} more` : null;
    return element("div", { class: "references" }, ...buttons, more);
  }

  _payloadRows(payload) {
    if (!payload) return [["Kind", KIND_NAMES.none]];
    if (payload.type === 5) return taggedRows(payload);
    if (payload.type === 6) return this._transactionRows(payload);
    if (payload.type === 7) return milestoneRows(payload);
    return [["Type", String(payload.type)]];
  }

  _transactionRows({ essence, unlocks }) {
    const outputs = essence.outputs
      .slice(0, ROWS_MAX)
      .map((output) => element("li", {}, element("strong", {}, this._amount(output.amount)), ...this._owner(output)));
    const left = essence.outputs.length - outputs.length;
    if (left > 0) outputs.push(element("li", { class: "muted" }, `and ${left} more`));
    return [
      ["Inputs", whole(essence.inputs.length)],
      ["Outputs", element("ul", {}, ...outputs)],
      ["Unlocks", whole(unlocks.length)],
      ...(essence.payload ? taggedRows(essence.payload) : []),
    ];
  }

  _owner(output) {
    const kind = OUTPUT_NAMES[output.type] ?? `type ${output.type}`;
    const address = output.unlockConditions?.map((one) => one.address).find(Boolean);
    const hex = address?.[ADDRESS_IDS[address.type]];
    if (!hex || !this.info) return [` ${kind}`];
    const text = bech32(this.info.protocol.bech32Hrp, new Uint8Array([address.type, ...bytesOf(hex)]));
    const title = `${text}: its history`;
    const link = { href: at(`/api/tangle/v1/addresses/${text}/history`), target: "_blank", rel: "noopener", title };
    return [` ${kind} to `, element("a", link, element("code", {}, `${text.slice(0, 12)}…${text.slice(-6)}`))];
  }

  _amount(text) {
    return `${whole(BigInt(text))} ${this.info?.baseToken.unit ?? ""}`.trim();
  }
}

function taggedRows(payload) {
  const rows = [];
  if (payload.tag && payload.tag !== "0x") {
    const link = { href: at(`/api/tangle/v1/tags/${payload.tag}/blocks`), target: "_blank", rel: "noopener" };
    rows.push(["Tag", element("a", { ...link, title: "blocks with this tag" }, textOf(payload.tag) ?? payload.tag)]);
  }
  const data = payload.data ?? "0x";
  rows.push(["Data", element("span", {}, `${whole((data.length - 2) / 2)} bytes`, dataNode(data))]);
  return rows;
}

function dataNode(hex) {
  if (hex.length <= 2) return null;
  const text = textOf(hex);
  const shown = text === null ? hex : pretty(text);
  const cut = shown.length > DATA_MAX ? `${shown.slice(0, DATA_MAX)} …` : shown;
  return element("pre", { tabindex: "0", "aria-label": "data" }, cut);
}

function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}

function milestoneRows(payload) {
  return [
    ["Index", `#${payload.index}`],
    ["Time", new Date(1_000 * payload.timestamp).toLocaleString()],
    ["Signatures", whole(payload.signatures.length)],
    ["Previous", element("code", {}, payload.previousMilestoneId)],
  ];
}

/** m of n with its interval, in words and as a bar. */
function confidenceNode({ m, n, low, high }) {
  const words = n ? `${percent(m / n)}: ${whole(m)} of ${whole(n)} walks` : "not sampled yet";
  const between = n ? `${percent(low)} to ${percent(high)} with 95 % certainty` : "anything is possible";
  const bar = drawn(
    "svg",
    { class: "confidence", viewBox: "0 0 240 30", role: "img", "aria-label": between },
    drawn("rect", { class: "track", x: 0, y: 4, width: 240, height: 10, rx: 5 }),
    drawn("rect", { class: "interval", x: 240 * low, y: 4, width: Math.max(240 * (high - low), 1), height: 10, rx: 3 }),
    n ? drawn("line", { class: "value", x1: 1 + (238 * m) / n, x2: 1 + (238 * m) / n, y1: 1, y2: 17 }) : null,
    drawn("text", { x: 0, y: 27 }, "0"),
    drawn("text", { x: 240, y: 27, "text-anchor": "end" }, "1"),
  );
  return element("span", { id: "confidence" }, words, element("br"), element("span", { class: "muted" }, between), bar);
}

/** The block as it is drawn, and what that means. */
function badgeNode(block, theme) {
  const canvas = element("canvas", { width: "44", height: "36", "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  drawGlyph(pen, 11, 9, block.payload, level(block), 6.5, theme);
  return element("p", { class: "badge" }, canvas, LEVEL_NAMES[level(block)]);
}

function links(id) {
  const paths = {
    block: `/api/core/v2/blocks/${id}`,
    metadata: `/api/core/v2/blocks/${id}/metadata`,
    confidence: `/api/tangle/v1/confidence/${id}`,
  };
  const anchors = Object.entries(paths).map(([name, path]) =>
    element("a", { href: at(path), target: "_blank", rel: "noopener" }, name),
  );
  return element("div", { class: "links" }, ...anchors);
}

function section(title, ...children) {
  return [element("h3", {}, title), ...children];
}

function list(rows) {
  return element(
    "dl",
    {},
    ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

function failure(error) {
  return error.status === 404 ? "This node has no block with this id." : "The node does not answer at the moment.";
}
