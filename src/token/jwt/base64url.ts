const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const INVALID = -1;
/** The six bits of each character, shifted to its place in a group of four. All bits, including the sign, for an invalid character. */
const [FIRST, SECOND, THIRD, FOURTH] = [18, 12, 6, 0].map((shift) => {
  const table = new Int32Array(256).fill(INVALID);
  for (let value = 0; value < ALPHABET.length; value += 1) table[ALPHABET.charCodeAt(value)] = value << shift;
  return table;
}) as [Int32Array, Int32Array, Int32Array, Int32Array];

/** The result for text that is not base64url. */
export const NOT_BASE64URL = -1;

/**
 * Decodes base64url in its canonical form (RFC 7515 §2, RFC 4648 §3.5): no padding, no other alphabet, no stray bits at the
 * end. This does not make the text of a token unique: anyone can replace the `s` of an ECDSA signature by n − s, which is valid as
 * well. Nothing may recognize a token by its text, for example to revoke it.
 *
 * Node's decoder accepts other forms. It also uses instructions for which some processors lower their clock, which slows
 * the signature check after it by more than this function costs.
 *
 * @param source one character in each byte, from `start` to before `end`.
 * @returns the number of bytes written into `target`, or `NOT_BASE64URL`.
 */
export function decodeBase64url(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const rest = (end - start) % 4;
  const whole = end - rest;
  let all = 0;
  let length = 0;
  for (let at = start; at < whole; at += 4) {
    const group =
      (FIRST[source[at] ?? 0] ?? INVALID) |
      (SECOND[source[at + 1] ?? 0] ?? INVALID) |
      (THIRD[source[at + 2] ?? 0] ?? INVALID) |
      (FOURTH[source[at + 3] ?? 0] ?? INVALID);
    all |= group;
    target[length] = group >> 16;
    target[length + 1] = group >> 8;
    target[length + 2] = group;
    length += 3;
  }
  if (rest > 0) {
    const group =
      (FIRST[source[whole] ?? 0] ?? INVALID) |
      (rest > 1 ? (SECOND[source[whole + 1] ?? 0] ?? INVALID) : INVALID) |
      (rest > 2 ? (THIRD[source[whole + 2] ?? 0] ?? INVALID) : 0);
    // The bits that do not fill a byte must be zero.
    all |= (group & (rest > 2 ? 0xff : 0xffff)) === 0 ? group : INVALID;
    target[length] = group >> 16;
    if (rest > 2) target[length + 1] = group >> 8;
    length += rest - 1;
  }
  return all < 0 ? NOT_BASE64URL : length;
}
