/** Addresses as people write them: Bech32 (BIP-173) over the type byte and the hash (TIP-31). */

const LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** @param {string} prefix @param {Uint8Array} bytes */
export function bech32(prefix, bytes) {
  const words = fiveBits(bytes);
  const head = [...prefix].map((letter) => letter.charCodeAt(0));
  const spread = [...head.map((code) => code >> 5), 0, ...head.map((code) => code & 31)];
  const sum = checksum([...spread, ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const tail = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31);
  return `${prefix}1${[...words, ...tail].map((word) => LETTERS[word]).join("")}`;
}

function fiveBits(bytes) {
  const words = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      words.push((held >>> bits) & 31);
      held &= (1 << bits) - 1;
    }
  }
  if (bits) words.push((held << (5 - bits)) & 31);
  return words;
}

function checksum(words) {
  let sum = 1;
  for (const word of words) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ word;
    GENERATOR.forEach((value, i) => {
      if ((top >>> i) & 1) sum ^= value;
    });
  }
  return sum >>> 0;
}
