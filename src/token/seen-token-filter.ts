const BITS_PER_ENTRY = 32;
const MAX_BITS = 2 ** 26;
/** The end of a token is the end of its signature, which is as good as random. */
const SAMPLE_LENGTH = 16;

/**
 * An approximate set of recently seen tokens: a one-hash Bloom filter in two generations, so that old entries age out. A false
 * positive costs one digest; it never changes whether a token is accepted.
 */
export class SeenTokenFilter {
  private current: Uint8Array;
  private previous: Uint8Array;
  private readonly mask: number;
  private added = 0;

  constructor(private readonly maxEntries: number) {
    const bits = Math.min(2 ** Math.ceil(Math.log2(Math.max(8, maxEntries * BITS_PER_ENTRY))), MAX_BITS);
    this.mask = bits - 1;
    this.current = new Uint8Array(bits / 8);
    this.previous = new Uint8Array(bits / 8);
  }

  has(token: string): boolean {
    const index = hashOf(token) & this.mask;
    const bit = 1 << (index & 7);
    if (((this.current[index >>> 3] ?? 0) & bit) !== 0) return true;
    if (((this.previous[index >>> 3] ?? 0) & bit) === 0) return false;
    // The token is still in use: carry it over to the current generation.
    this.set(index, bit);
    return true;
  }

  add(token: string): void {
    const index = hashOf(token) & this.mask;
    this.set(index, 1 << (index & 7));
  }

  private set(index: number, bit: number): void {
    if (this.added >= 2 * this.maxEntries) {
      [this.current, this.previous] = [this.previous, this.current];
      this.current.fill(0);
      this.added = 0;
    }
    this.current[index >>> 3] = (this.current[index >>> 3] ?? 0) | bit;
    this.added += 1;
  }
}

/** FNV-1a, 32 bits. */
function hashOf(token: string): number {
  let hash = 0x811c9dc5;
  for (let index = Math.max(0, token.length - SAMPLE_LENGTH); index < token.length; index += 1) {
    hash = Math.imul(hash ^ token.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
