// Base64 of the `data` fields: the standard alphabet with padding, read strictly.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD = "=".charCodeAt(0);
const FOREIGN = 0xff;

const DIGITS = Uint8Array.from(ALPHABET, (digit) => digit.charCodeAt(0));
const VALUES = new Uint8Array(256).fill(FOREIGN);
DIGITS.forEach((digit, value) => {
  VALUES[digit] = value;
});

const encoder = new TextEncoder();
const decoder = new TextDecoder("latin1");

/** The bytes as base64 with padding. Tables instead of `btoa`, which needs a string per byte. */
export function encodeBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  const whole = bytes.length - (bytes.length % 3);
  let at = 0;
  for (let i = 0; i < whole; i += 3) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!;
    out[at++] = DIGITS[word >> 18]!;
    out[at++] = DIGITS[(word >> 12) & 63]!;
    out[at++] = DIGITS[(word >> 6) & 63]!;
    out[at++] = DIGITS[word & 63]!;
  }
  if (whole < bytes.length) {
    const word = (bytes[whole]! << 16) | ((bytes[whole + 1] ?? 0) << 8);
    out[at++] = DIGITS[word >> 18]!;
    out[at++] = DIGITS[(word >> 12) & 63]!;
    out[at++] = whole + 1 < bytes.length ? DIGITS[(word >> 6) & 63]! : PAD;
    out[at++] = PAD;
  }
  return decoder.decode(out);
}

/**
 * The bytes that `text` stands for; null when it is not exactly what an encoder would have made:
 * a foreign character, white space, missing padding, or bits set behind the last byte.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const digits = encoder.encode(text);
  if (digits.length % 4 !== 0) return null;
  const padding = digits.at(-1) !== PAD ? 0 : digits.at(-2) !== PAD ? 1 : 2;
  const out = new Uint8Array((digits.length / 4) * 3 - padding);
  const whole = padding === 0 ? digits.length : digits.length - 4;
  let at = 0;
  let foreign = 0;
  for (let i = 0; i < whole; i += 4) {
    const a = VALUES[digits[i]!]!;
    const b = VALUES[digits[i + 1]!]!;
    const c = VALUES[digits[i + 2]!]!;
    const d = VALUES[digits[i + 3]!]!;
    foreign |= a | b | c | d;
    const word = (a << 18) | (b << 12) | (c << 6) | d;
    out[at++] = word >> 16;
    out[at++] = word >> 8;
    out[at++] = word;
  }
  if (padding > 0) {
    const a = VALUES[digits[whole]!]!;
    const b = VALUES[digits[whole + 1]!]!;
    const c = padding === 1 ? VALUES[digits[whole + 2]!]! : 0;
    foreign |= a | b | c;
    const word = (a << 10) | (b << 4) | (c >> 2);
    const spare = padding === 1 ? c & 0b11 : b & 0b1111;
    if (spare !== 0) return null;
    out[at++] = word >> 8;
    if (padding === 1) out[at] = word;
  }
  // Values fill six bits, so any higher bit came from a character outside the alphabet.
  return foreign > 63 ? null : out;
}
