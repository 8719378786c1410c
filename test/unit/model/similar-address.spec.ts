import { describe, expect, it } from '@jest/globals';
import { isDowngrade, isSimilarAddress } from '../../../src/model/address.js';

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

it('isDowngrade is true only from https to another scheme', () => {
  expect(isDowngrade('https://a.example', 'http://a.example')).toBe(true);
  expect(isDowngrade('HTTPS://a.example', 'a.example')).toBe(true);
  expect(isDowngrade('http://a.example', 'https://a.example')).toBe(false);
});
