/**
 * XChaCha20-Poly1305 (RFC 8439; draft-irtf-cfrg-xchacha-03), only the way back: check and unmask.
 *
 * Nothing here takes the same time for all inputs, and nothing has to: whoever could measure it holds the key.
 */

const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const TAG_BYTES = 16;
const PRIME = (1n << 130n) - 5n;

function quarter(x, a, b, c, d) {
  let mixed;
  x[a] += x[b];
  mixed = x[d] ^ x[a];
  x[d] = (mixed << 16) | (mixed >>> 16);
  x[c] += x[d];
  mixed = x[b] ^ x[c];
  x[b] = (mixed << 12) | (mixed >>> 20);
  x[a] += x[b];
  mixed = x[d] ^ x[a];
  x[d] = (mixed << 8) | (mixed >>> 24);
  x[c] += x[d];
  mixed = x[b] ^ x[c];
  x[b] = (mixed << 7) | (mixed >>> 25);
}

function rounds(state) {
  const x = Uint32Array.from(state);
  for (let i = 0; i < 10; i += 1) {
    quarter(x, 0, 4, 8, 12);
    quarter(x, 1, 5, 9, 13);
    quarter(x, 2, 6, 10, 14);
    quarter(x, 3, 7, 11, 15);
    quarter(x, 0, 5, 10, 15);
    quarter(x, 1, 6, 11, 12);
    quarter(x, 2, 7, 8, 13);
    quarter(x, 3, 4, 9, 14);
  }
  return x;
}

function words(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

function bytesOf(list) {
  const view = new DataView(new ArrayBuffer(4 * list.length));
  list.forEach((word, i) => view.setUint32(4 * i, word, true));
  return new Uint8Array(view.buffer);
}

/** 64 bytes of the key stream. */
function stream(key, nonce, counter) {
  const state = Uint32Array.from([...CONSTANTS, ...key, counter, 0, ...nonce]);
  return bytesOf(rounds(state).map((word, i) => word + state[i]));
}

function number(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/** Poly1305; RFC 8439, section 2.5. */
function authenticator(key, data) {
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let sum = 0n;
  for (let at = 0; at < data.length; at += 16) {
    const block = view.getBigUint64(at, true) | (view.getBigUint64(at + 8, true) << 64n) | (1n << 128n);
    sum = ((sum + block) * r) % PRIME;
  }
  return sum + number(key.subarray(16, 32));
}

/** What is authenticated: both parts filled up to 16 bytes, then both lengths. */
function authenticated(additional, masked) {
  const start = Math.ceil(additional.length / 16) * 16;
  const end = start + Math.ceil(masked.length / 16) * 16;
  const data = new Uint8Array(end + 16);
  data.set(additional);
  data.set(masked, start);
  const view = new DataView(data.buffer);
  view.setBigUint64(end, BigInt(additional.length), true);
  view.setBigUint64(end + 8, BigInt(masked.length), true);
  return data;
}

/**
 * @param {Uint8Array} sealed masked bytes and tag
 * @param {Uint8Array} additional authenticated as well
 * @param {Uint8Array} nonce 24 bytes
 * @param {Uint8Array} key 32 bytes
 * @returns {Uint8Array|null} null where key, nonce and bytes do not belong together
 */
export function unmask(sealed, additional, nonce, key) {
  if (sealed.length < TAG_BYTES) return null;
  const mixed = rounds([...CONSTANTS, ...words(key), ...words(nonce.slice(0, 16))]);
  const subkey = [...mixed.subarray(0, 4), ...mixed.subarray(12, 16)];
  const rest = words(nonce.slice(16));
  const masked = sealed.subarray(0, sealed.length - TAG_BYTES);
  const tag = number(sealed.subarray(masked.length));
  const expected = authenticator(stream(subkey, rest, 0), authenticated(additional, masked));
  if ((expected & ((1n << 128n) - 1n)) !== tag) return null;
  const plain = new Uint8Array(masked.length);
  for (let at = 0; at < masked.length; at += 64) {
    const pad = stream(subkey, rest, 1 + at / 64);
    for (let i = at; i < Math.min(at + 64, masked.length); i += 1) plain[i] = masked[i] ^ pad[i - at];
  }
  return plain;
}
