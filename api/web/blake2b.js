/**
 * BLAKE2b (RFC 7693) with key and personalisation. Browsers have none of it.
 *
 * 64-bit words are pairs of 32-bit ones, low first, in one Uint32Array: word i is at 2i and 2i + 1.
 */

import { INITIAL } from "./sha512.js";

const BLOCK_BYTES = 128;
const START = Uint32Array.from(INITIAL.flatMap((word) => [Number(word & 0xffffffffn), Number(word >> 32n)]));
/** the order of message words in each round; RFC 7693, section 2.7 */
const ORDERS = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
].map((order) => order.map((word) => 2 * word));
/** the four columns and the four diagonals of a round, as places of the low halves */
const STEPS = [
  [0, 8, 16, 24], [2, 10, 18, 26], [4, 12, 20, 28], [6, 14, 22, 30],
  [0, 10, 20, 30], [2, 12, 22, 24], [4, 14, 16, 26], [6, 8, 18, 28],
];

function add(words, at, low, high) {
  const sum = words[at] + low;
  words[at + 1] += high + (sum > 0xffffffff ? 1 : 0);
  words[at] = sum;
}

function step(v, m, [a, b, c, d], x, y) {
  add(v, a, v[b], v[b + 1]);
  add(v, a, m[x], m[x + 1]);
  let low = v[d] ^ v[a];
  let high = v[d + 1] ^ v[a + 1];
  v[d] = high;
  v[d + 1] = low;
  add(v, c, v[d], v[d + 1]);
  low = v[b] ^ v[c];
  high = v[b + 1] ^ v[c + 1];
  v[b] = (low >>> 24) | (high << 8);
  v[b + 1] = (high >>> 24) | (low << 8);
  add(v, a, v[b], v[b + 1]);
  add(v, a, m[y], m[y + 1]);
  low = v[d] ^ v[a];
  high = v[d + 1] ^ v[a + 1];
  v[d] = (low >>> 16) | (high << 16);
  v[d + 1] = (high >>> 16) | (low << 16);
  add(v, c, v[d], v[d + 1]);
  low = v[b] ^ v[c];
  high = v[b + 1] ^ v[c + 1];
  v[b] = (low << 1) | (high >>> 31);
  v[b + 1] = (high << 1) | (low >>> 31);
}

function compress(h, block, taken, last) {
  const v = new Uint32Array(32);
  v.set(h);
  v.set(START, 16);
  v[24] ^= taken >>> 0;
  v[25] ^= Math.floor(taken / 2 ** 32);
  if (last) {
    v[28] = ~v[28];
    v[29] = ~v[29];
  }
  const m = new Uint32Array(32);
  for (let i = 0; i < 32; i += 1) m[i] = block.getUint32(4 * i, true);
  for (let round = 0; round < 12; round += 1) {
    const order = ORDERS[round % 10];
    for (let i = 0; i < 8; i += 1) step(v, m, STEPS[i], order[2 * i], order[2 * i + 1]);
  }
  for (let i = 0; i < 16; i += 1) h[i] ^= v[i] ^ v[i + 16];
}

/**
 * @param {Uint8Array} data
 * @param {{ key?: Uint8Array, person?: string, size?: number }} options `person` in ASCII, up to 16 characters
 * @returns {Uint8Array} `size` bytes, 32 unless given
 */
export function blake2b(data, { key = new Uint8Array(0), person = "", size = 32 } = {}) {
  const parameters = new Uint8Array(64);
  parameters.set([size, key.length, 1, 1]);
  parameters.set(new TextEncoder().encode(person), 48);
  const view = new DataView(parameters.buffer);
  const h = START.map((word, i) => word ^ view.getUint32(4 * i, true));
  const keyed = key.length ? BLOCK_BYTES : 0;
  const length = keyed + data.length;
  const padded = new Uint8Array(Math.max(BLOCK_BYTES, Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES));
  padded.set(key);
  padded.set(data, keyed);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    const last = at + BLOCK_BYTES === padded.length;
    compress(h, new DataView(padded.buffer, at, BLOCK_BYTES), last ? length : at + BLOCK_BYTES, last);
  }
  const digest = new DataView(new ArrayBuffer(64));
  h.forEach((word, i) => digest.setUint32(4 * i, word, true));
  return new Uint8Array(digest.buffer.slice(0, size));
}
