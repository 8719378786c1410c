import { describe, expect, it } from '@jest/globals';
import { isSameButForSpelling, otherSpellings, slashOf } from '../../../../src/cli/doctor/other-spellings.js';

describe('where else an issuer may be', () => {
  it.each([
    ['https://a.example/auth/realms/b', ['/realms/b', '/auth/realms', '/auth', '']],
    ['https://a.example/realms/b/', ['/auth/realms/b', '/realms', '']],
    ['https://login.microsoftonline.com/t', ['/t/v2.0', '']],
    ['https://a.okta.com', ['/oauth2/default']],
    ['https://a.example', []],
  ])('%s', (issuer, paths) => {
    expect(otherSpellings(issuer)).toEqual(paths.map((path) => new URL(issuer).origin + path));
  });

  it('asks at six places at most', () => {
    expect(otherSpellings(`https://a.example${'/a'.repeat(100)}`)).toHaveLength(6);
  });

  it('knows what is a matter of spelling only', () => {
    expect(isSameButForSpelling('https://a.example', 'https://a.example/')).toBe(true);
    expect(isSameButForSpelling('http://a.example/b', 'https://A.example:443/B/')).toBe(true);
    expect(isSameButForSpelling('https://a.example', 'https://b.example')).toBe(false);
    expect(isSameButForSpelling('https://a.example', 'https://a.example')).toBe(false);
    expect(isSameButForSpelling('Joe', 'joe')).toBe(true);
    expect(slashOf('a', 'a/')).toBe('with the slash at its end');
    expect(slashOf('a/', 'a')).toBe('without the slash at its end');
    expect(slashOf('a', 'b')).toBeUndefined();
  });
});
