/**
 * One part of a channel, unmasked and verified: docs/mam.md, format versions 3 and 2.
 *
 * Everything happens here in the browser. Whatever is not a part of the channel becomes an `Unreadable` that says why;
 * a reader goes on after it.
 */

import { blake2b } from "./blake2b.js";
import { verifies } from "./ed25519.js";
import { unmask } from "./xchacha.js";

export const MODES = ["public", "private", "restricted"];
export const DATA = 0;
export const REKEY = 1;
/** the format that is written; version 2 is read as well */
export const VERSION = 3;
/** bytes before the public key */
const HEAD = { 2: 15, 3: 23 };
const DATA_BYTES_MAX = 32_256;
const BODY_BYTES_MAX = 16_777_216;
const HEIGHT_MAX = 16;
const INDEX_MAX = 2n ** 63n - 1n;
/** bytes of a part beyond head and piece of the body, at height 0, unsplit */
const AROUND = 169;
export const HASH = 32;
const SIGNATURE = 64;

/** Data that is no part of the channel; `code` is stable. */
export class Unreadable extends Error {
  constructor(code, why) {
    super(why);
    this.code = code;
  }
}

export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function same(one, other) {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

export function hexOf(bytes) {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function littleEndian(value, size) {
  const bytes = new Uint8Array(size);
  for (let i = 0, rest = BigInt(value); i < size; i += 1, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** The way into one tree: where its messages lie and what they are masked with. */
export class Access {
  /**
   * @param {number} mode place in `MODES`
   * @param {Uint8Array} root 32 bytes
   * @param {Uint8Array|null} sideKey 32 bytes in a restricted channel, otherwise null
   */
  constructor(mode, root, sideKey) {
    this.mode = mode;
    this.root = root;
    this.sideKey = sideKey;
    const key = sideKey ?? new Uint8Array(0);
    const bound = joined([mode], root);
    this.address = mode === 0 ? root : blake2b(bound, { person: "mam2 address", key });
    this.name = hexOf(this.address);
    const keys = blake2b(bound, { person: "mam2 mask", key, size: 64 });
    this.maskKey = keys.slice(0, 32);
    this.nonceKey = keys.slice(32);
  }

  of(root) {
    return new Access(this.mode, root, this.sideKey);
  }

  rekeyed(sideKey) {
    return new Access(this.mode, this.root, sideKey);
  }
}

/** What the rekey message of an index says, signed and to all, of the side key that it hands out. */
export function committed(index, sideKey) {
  return blake2b(joined(littleEndian(index, 8), sideKey), { person: "mam3 commit" });
}

/** The id of a network: the first 8 bytes of the hash of its name. */
export function networkId(name) {
  const hash = blake2b(new TextEncoder().encode(name));
  return new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true);
}

function rootOf(version, mode, height, index, publicKey, path) {
  let node = blake2b(publicKey, { person: "mam2 leaf" });
  for (let depth = 0; depth < height; depth += 1) {
    const sibling = path.subarray(HASH * depth, HASH * (depth + 1));
    const left = (index >> BigInt(depth)) & 1n;
    node = blake2b(left ? joined(sibling, node) : joined(node, sibling), { person: "mam2 node" });
  }
  const tree = littleEndian(index >> BigInt(height), 8);
  return blake2b(joined([mode, height], tree, node), { person: `mam${version} root` });
}

function checkHead(expected, { mode, kind, height, index, part, parts }) {
  const known = mode === expected && (kind === DATA || (kind === REKEY && MODES[expected] === "restricted"));
  if (!known) throw new Unreadable("layout_invalid", `mode ${mode} and kind ${kind} do not belong into this channel`);
  if (height > HEIGHT_MAX || index > INDEX_MAX) throw new Unreadable("layout_invalid", "height or index are out of range");
  if (part >= parts) throw new Unreadable("layout_invalid", `part ${part} of ${parts}`);
}

/** A body is split in one way only. */
function checkPiece({ version, height, part, parts }, size) {
  if (parts === 1) return;
  const room = DATA_BYTES_MAX - AROUND - HEAD[version];
  const most = room - HASH * (height + 1);
  const last = part === parts - 1;
  const total = (parts - 1) * most + (last ? size : 1);
  const whole = last ? size > 0 && total > room - HASH * height : size === most;
  if (!whole || total > BODY_BYTES_MAX) throw new Unreadable("layout_invalid", `part ${part} of ${parts} has ${size} bytes`);
}

/**
 * Unmask and verify one part.
 * @param {Access} access the way into the tree under whose address it lay
 * @param {Uint8Array} data
 */
export function unseal(access, data) {
  const version = data[0];
  if (!(version in HEAD)) throw new Unreadable("not_a_message", `version ${version}`);
  if (data.length > DATA_BYTES_MAX || data.length < AROUND + HEAD[version]) {
    throw new Unreadable("not_a_message", `${data.length} bytes`);
  }
  const nonce = data.slice(1, 25);
  const plain = unmask(data.subarray(25), data.subarray(0, 1), nonce, access.maskKey);
  if (plain === null) throw new Unreadable("mask_invalid", "not masked with this key, or altered");
  const view = new DataView(plain.buffer);
  const keyStart = HEAD[version];
  const head = {
    version,
    network: version > 2 ? view.getBigUint64(15, true) : 0n,
    mode: plain[0],
    kind: plain[1],
    height: plain[2],
    index: view.getBigUint64(3, true),
    part: view.getUint16(11, true),
    parts: view.getUint16(13, true),
  };
  checkHead(access.mode, head);
  const pathEnd = keyStart + HASH + HASH * head.height;
  const rootEnd = pathEnd + HASH;
  const bodyStart = rootEnd + (head.parts > 1 ? HASH : 0);
  const bodyEnd = plain.length - SIGNATURE;
  if (bodyStart > bodyEnd) throw new Unreadable("layout_invalid", "it ends inside its fields");
  checkPiece(head, bodyEnd - bodyStart);
  const publicKey = plain.slice(keyStart, keyStart + HASH);
  const path = plain.subarray(keyStart + HASH, pathEnd);
  const root = rootOf(version, access.mode, head.height, head.index, publicKey, path);
  if (!same(root, access.root)) throw new Unreadable("path_invalid", "signed with a key of another tree");
  const bound = joined(access.root, access.address, plain.subarray(0, bodyEnd));
  const signed = blake2b(bound, { person: `mam${version} sign` });
  if (!verifies(plain.subarray(bodyEnd), signed, publicKey)) throw new Unreadable("forged_signature", "forged");
  if (!same(blake2b(plain, { person: "mam2 nonce", key: access.nonceKey, size: 24 }), nonce)) {
    throw new Unreadable("nonce_invalid", "masked again to look like another");
  }
  const digest = head.parts > 1 ? plain.slice(rootEnd, bodyStart) : null;
  return {
    ...head,
    body: plain.slice(bodyStart, bodyEnd),
    nextRoot: plain.slice(pathEnd, rootEnd),
    digest,
    identity: digest === null ? hexOf(nonce) : `${head.kind}${hexOf(digest)}`,
  };
}

/** The body of all parts, in order.  @throws {Unreadable} */
export function join(parts) {
  const body = joined(...parts.map((part) => part.body));
  const { digest } = parts[0];
  if (digest && !same(digest, blake2b(body, { person: "mam2 body" }))) {
    throw new Unreadable("misplaced", "its parts do not join to the body it names");
  }
  return body;
}
