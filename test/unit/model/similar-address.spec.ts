import { describe, expect, it } from '@jest/globals';
import { isDowngrade, isSimilarAddress, withoutTrailingSlashes } from '../../../src/model/address.js';
import { describeValue } from '../../../src/model/unknown-value.js';

describe('isSimilarAddress', () => {
  it.each([
    ['https://a.example', 'https://a.example/', true],
    ['http://a.example/b', 'https://A.example:443/B/', true],
    ['api://orders', 'orders', true],
    ['Orders', 'orders ', true],
    ['https://a.example', 'https://a.example', false],
    ['https://a.example', 'https://b.example', false],
    ['https://a.example', 'https://a.example:8443', false],
    ['https://a.example/?x=1', 'https://a.example/?x=2', false],
    ['https://', '/', false],
  ])('compares %j with %j: %s', (one, other, expected) => {
    expect(isSimilarAddress(one, other)).toBe(expected);
  });
});

describe('A text of a token or a key set takes linear time', () => {
  // Quadratic time would be minutes.
  const slashes = '/'.repeat(1_000_000);

  it('to be compared with an address', () => {
    expect(isSimilarAddress(`https://a.example${slashes}x`, 'https://a.example')).toBe(false);
    expect(isSimilarAddress(`urn:${slashes}x`, 'urn:')).toBe(false);
    expect(withoutTrailingSlashes(`${slashes}x${slashes}`)).toHaveLength(slashes.length + 1);
  });

  it('to be described', () => {
    for (const text of [slashes, `${slashes} x`]) expect(describeValue(text)).toHaveLength(103);
    expect(describeValue('//@'.repeat(300_000))).toBe('"//***@"');
    expect(describeValue('from https://user:secret@a.example to //b:secret@c')).toBe(
      '"from https://***@a.example to //***@c"',
    );
  });
});

it('isDowngrade is true only from https to another scheme', () => {
  expect(isDowngrade('https://a.example', 'http://a.example')).toBe(true);
  expect(isDowngrade('HTTPS://a.example', 'a.example')).toBe(true);
  expect(isDowngrade('http://a.example', 'https://a.example')).toBe(false);
});
