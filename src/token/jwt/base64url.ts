const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const STRANGER = -1;
/** Six bits for each character, where they stand in a group of four; all bits, the sign too, for one of another alphabet. */
const [FIRST, SECOND, THIRD, FOURTH] = [18, 12, 6, 0].map((shift) => {
  const table = new Int32Array(256).fill(STRANGER);
  for (let value = 0; value < ALPHABET.length; value += 1) table[ALPHABET.charCodeAt(value)] = value << shift;
  return table;
}) as [Int32Array, Int32Array, Int32Array, Int32Array];

/** How many bytes were written, or why not. */
export const NOT_BASE64URL = -1;

/**
 * Decodes base64url in its one canonical form (RFC 7515 §2, RFC 4648 §3.5): no padding, no other alphabet, no stray bits at
 * the end. So a token cannot be rewritten into another string that is accepted too.
 *
 * Node's decoder takes other forms as well and would need checks around it. And it uses instructions for which some
 * processors lower their clock: that costs a signature check more than all of this.
 *
 * @param source characters, one in each byte, from `start` to before `end`.
 * @returns how many bytes were written into `target`, or `NOT_BASE64URL`.
 */
export function decodeBase64url(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const rest = (end - start) % 4;
  const whole = end - rest;
  let all = 0;
  let length = 0;
  for (let at = start; at < whole; at += 4) {
    const group =
      (FIRST[source[at] ?? 0] ?? STRANGER) |
      (SECOND[source[at + 1] ?? 0] ?? STRANGER) |
      (THIRD[source[at + 2] ?? 0] ?? STRANGER) |
      (FOURTH[source[at + 3] ?? 0] ?? STRANGER);
    all |= group;
    target[length] = group >> 16;
    target[length + 1] = group >> 8;
    target[length + 2] = group;
    length += 3;
  }
  if (rest > 0) {
    const group =
      (FIRST[source[whole] ?? 0] ?? STRANGER) |
      (rest > 1 ? (SECOND[source[whole + 1] ?? 0] ?? STRANGER) : STRANGER) |
      (rest > 2 ? (THIRD[source[whole + 2] ?? 0] ?? STRANGER) : 0);
    // What does not fill a byte is zero.
    all |= (group & (rest > 2 ? 0xff : 0xffff)) === 0 ? group : STRANGER;
    target[length] = group >> 16;
    if (rest > 2) target[length + 1] = group >> 8;
    length += rest - 1;
  }
  return all < 0 ? NOT_BASE64URL : length;
}
