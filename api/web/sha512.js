/**
 * SHA-512 (FIPS 180-4), for the signatures of short messages: plain BigInt, some 0.3 ms a block.
 *
 * The constants are not listed but made as the standard defines them: the first 64 bits behind the point of the
 * square and cube roots of the first primes.
 */

const MASK = (1n << 64n) - 1n;

/** The largest integer whose `degree`-th power is not above `value`. */
function root(value, degree) {
  let low = 0n;
  let high = 1n << 80n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n += 1) if (found.every((prime) => n % prime)) found.push(n);
  return found.map(BigInt);
}

const PRIMES = primes(80);
const ROUNDS = PRIMES.map((prime) => root(prime << 192n, 3n) & MASK);
/** the initial state, which BLAKE2b shares (RFC 7693) */
export const INITIAL = PRIMES.slice(0, 8).map((prime) => root(prime << 128n, 2n) & MASK);

const turn = (word, by) => ((word >> by) | (word << (64n - by))) & MASK;

/** @param {Uint8Array} data  @returns {Uint8Array} 64 bytes */
export function sha512(data) {
  const padded = new Uint8Array((data.length + 17 + 127) & ~127);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  const state = [...INITIAL];
  for (let at = 0; at < padded.length; at += 128) mix(state, view, at);
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => digest.setBigUint64(8 * i, word));
  return new Uint8Array(digest.buffer);
}

function mix(state, view, at) {
  const words = [];
  for (let i = 0; i < 16; i += 1) words.push(view.getBigUint64(at + 8 * i));
  for (let i = 16; i < 80; i += 1) {
    const [early, late] = [words[i - 15], words[i - 2]];
    const first = turn(early, 1n) ^ turn(early, 8n) ^ (early >> 7n);
    const second = turn(late, 19n) ^ turn(late, 61n) ^ (late >> 6n);
    words.push((words[i - 16] + first + words[i - 7] + second) & MASK);
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 80; i += 1) {
    const choice = (e & f) ^ (~e & MASK & g);
    const one = h + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + choice + ROUNDS[i] + words[i];
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const two = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) & MASK, c, b, a, (one + two) & MASK];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = (state[i] + word) & MASK;
  });
}
