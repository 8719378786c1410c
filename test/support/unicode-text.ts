import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

/** A code point that a text may have, as `fc.string({ unit: 'binary' })` has them: that lists them all first, for a second. */
const codePoint = fc.integer({ min: 0, max: 0x10ffff - SURROGATES.count }).map(
  (index) => String.fromCodePoint(index < SURROGATES.first ? index : index + SURROGATES.count),
  (text) => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (point === undefined || text !== String.fromCodePoint(point)) throw new TypeError('not one code point');
    return point < SURROGATES.first ? point : point - SURROGATES.count;
  },
);

/** Any text there is, and often what has a meaning to JavaScript (`__proto__`). */
export function unicodeText(constraints: fc.StringSharedConstraints = {}): fc.Arbitrary<string> {
  return fc.string({ ...constraints, unit: codePoint });
}
