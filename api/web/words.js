/** What numbers, bytes and codes are called. */

export const KIND_NAMES = {
  taggedData: "Tagged data",
  transaction: "Transaction",
  milestone: "Milestone",
  none: "No payload",
};

export const LEVEL_NAMES = {
  new: "new, confidence below 50 %",
  half: "confidence from 50 %",
  sure: "confidence from 95 %",
  referenced: "referenced by a milestone",
  conflict: "conflicting, ignored by the ledger",
};

export const INCLUSION_NAMES = {
  noTransaction: "referenced, no transaction",
  included: "included in the ledger",
  conflicting: "conflicting",
};

/** conflictReason (TIP-25), in the words of tangle/protocol/conflicts.py; a test compares them */
export const CONFLICTS = {
  1: "an input was already spent",
  2: "an input was already spent under the same milestone",
  3: "an input is not in the ledger",
  4: "inputs and outputs do not add up to the same amount",
  5: "a signature is invalid",
  6: "a timelock has not expired yet",
  7: "the native tokens are invalid",
  8: "a return amount is not fulfilled by the outputs",
  9: "an unlock does not unlock its input",
  10: "the inputs commitment does not match the inputs",
  11: "an output names a sender whose address is not unlocked",
  12: "the state transition of a chain is invalid",
  255: "the ledger refused it without a more precise reason",
};

/** by type number of the output; TIP-18 */
export const OUTPUT_NAMES = { 2: "treasury", 3: "basic", 4: "alias", 5: "foundry", 6: "NFT" };

const WHOLE = new Intl.NumberFormat("en");

export function whole(value) {
  return WHOLE.format(value);
}

export function percent(value) {
  const text = (100 * value).toFixed(1);
  return `${text.endsWith(".0") ? text.slice(0, -2) : text} %`;
}

export function short(id) {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

export function seconds(value) {
  if (value < 1) return `${Math.round(1_000 * value)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  return value < 7_200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3_600)} h`;
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
}

/** @param {string} hex with 0x */
export function bytesOf(hex) {
  const bytes = new Uint8Array((hex.length - 2) >> 1);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16);
  return bytes;
}

/** The text that bytes are, or null where they are none.  @param {string} hex */
export function textOf(hex) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(hex));
    return /[^\P{C}\t\n\r]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}
