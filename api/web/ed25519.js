/**
 * Ed25519 signatures (RFC 8032), verifying only, with the rules of libsodium: the scalar is reduced, keys are
 * canonical and neither key nor R is of small order, and the equation holds without the cofactor.
 *
 * Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (Hisil et al. 2008). A verification takes some
 * milliseconds, so it belongs into a worker.
 */

import { sha512 } from "./sha512.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (value) => {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
};

function power(base, exponent) {
  let result = 1n;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const D2 = mod(2n * D);
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const NEUTRAL = [0n, 1n, 1n, 0n];

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1 + P) * (y2 - x2 + P)) % P;
  const b = ((y1 + x1) * (y2 + x2)) % P;
  const c = (((t1 * D2) % P) * t2) % P;
  const d = (2n * z1 * z2) % P;
  const [e, f, g, h] = [b - a + P, d - c + P, d + c, b + a];
  return [(e * f) % P, (g * h) % P, (f * g) % P, (e * h) % P];
}

function double([x, y, z]) {
  const a = (x * x) % P;
  const b = (y * y) % P;
  const c = (2n * z * z) % P;
  const h = a + b;
  const e = h - (((x + y) * (x + y)) % P) + P;
  const g = a - b + P;
  const f = c + g;
  return [(e * f) % P, (g * h) % P, (f * g) % P, (e * h) % P].map(mod);
}

const negative = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)];

function number(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/** The point that 32 bytes stand for, or null; `y` must be below P. */
function decode(bytes) {
  const all = number(bytes);
  const y = all & ((1n << 255n) - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const v3 = (((v * v) % P) * v) % P;
  let x = (((u * v3) % P) * power((((u * v3) % P) * ((v3 * v) % P)) % P, (P - 5n) / 8n)) % P;
  const check = (((v * x) % P) * x) % P;
  if (check !== u) {
    if (check !== mod(-u)) return null;
    x = (x * ROOT_OF_MINUS_ONE) % P;
  }
  const sign = all >> 255n;
  if (x === 0n && sign) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, (x * y) % P];
}

function encode([x, y, z]) {
  const inverse = power(z, P - 2n);
  let value = ((y * inverse) % P) | ((((x * inverse) % P) & 1n) << 255n);
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i += 1, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
}

function isSmall(point) {
  const [x, y, z] = double(double(double(point)));
  return x === 0n && y === z;
}

/** 0 to 15 times a point. */
function multiples(point) {
  const table = [NEUTRAL];
  for (let i = 1; i < 16; i += 1) table.push(add(table[i - 1], point));
  return table;
}

const BASE = multiples(decode(encode([0n, (4n * power(5n, P - 2n)) % P, 1n])));

/** a times the base point plus b times the point of `table`, four bits at a time. */
function sum(a, b, table) {
  let result = NEUTRAL;
  for (let shift = 252n; shift >= 0n; shift -= 4n) {
    for (let i = 0; i < 4; i += 1) result = double(result);
    result = add(result, BASE[Number((a >> shift) & 15n)]);
    result = add(result, table[Number((b >> shift) & 15n)]);
  }
  return result;
}

/**
 * @param {Uint8Array} signature 64 bytes
 * @param {Uint8Array} message
 * @param {Uint8Array} publicKey 32 bytes
 */
export function verifies(signature, message, publicKey) {
  const scalar = number(signature.subarray(32));
  if (scalar >= ORDER) return false;
  const key = decode(publicKey);
  const commitment = decode(signature.subarray(0, 32));
  if (key === null || commitment === null || isSmall(key) || isSmall(commitment)) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(publicKey, 32);
  hashed.set(message, 64);
  const challenge = number(sha512(hashed)) % ORDER;
  const found = encode(sum(scalar, challenge, multiples(negative(key))));
  return found.every((byte, i) => byte === signature[i]);
}
