import { describe, expect, it } from '@jest/globals';
import { parseChallenges } from '../../src/cli/doctor/challenge-parser.js';
import { readVectors } from '../support/vectors.js';

interface Vector {
  readonly description: string;
  readonly header: string;
  readonly expected?: ReturnType<typeof parseChallenges>;
}

const vectors = readVectors('www_authenticate_vectors.json') as readonly Vector[];

// Other tests parse our challenges with this parser.
describe('The parser of WWW-Authenticate headers', () => {
  it('is tested with all 54 vectors', () => {
    expect(vectors).toHaveLength(54);
  });

  it.each(vectors.map((vector) => ({ ...vector, does: vector.expected === undefined ? 'rejects' : 'parses' })))(
    '$does: $description',
    ({ header, expected }) => {
      expect(parseChallenges(header)).toStrictEqual(expected);
    },
  );

  it.each([
    ['a line break', 'Bearer realm="a\r\nb"'],
    ['a null character', 'Bearer realm="a\0b"'],
    ['an escaped control character', 'Bearer realm="a\\\u0007"'],
    ['two parameters without a comma', 'Bearer a="b" c="d"'],
    ['a tab after the scheme', 'Bearer\ta="b"'],
  ])('rejects %s', (_what, header) => {
    expect(parseChallenges(header)).toBeUndefined();
  });
});
