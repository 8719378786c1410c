import { describe, expect, it } from '@jest/globals';
import { checkSpelling } from '../../../../src/cli/doctor/issuer-spelling.js';

const check = (text: string, options: { allowHttp?: boolean; jwksUri?: string } = {}) =>
  checkSpelling(text, { allowHttp: false, jwksUri: undefined, ...options });

describe('the spelling of an issuer', () => {
  it.each(['https://tenant.example.com', 'https://tenant.example.com/', 'http://127.0.0.1:8080/realms/a'])(
    'is good as it stands, with or without a slash: %s',
    (issuer) => {
      expect(check(issuer)).toMatchObject({ issuer, row: { status: 'ok' } });
    },
  );

  it.each([
    [' https://a.example ', 'https://a.example'],
    ['"https://a.example/"', 'https://a.example/'],
    ['https://a.example/?x=1', 'https://a.example/'],
    ['https://a.example/#top', 'https://a.example/'],
    ['https://a.example/realms/b/.well-known/openid-configuration', 'https://a.example/realms/b'],
    ['https://a.example/.well-known/oauth-authorization-server/realms/b', 'https://a.example/realms/b'],
    ['https://a.example/.well-known/jwks.json', 'https://a.example'],
    ['https://user:hunter2@a.example', 'https://a.example'],
  ])('is mended, and looked at as it was meant: %p', (text, meant) => {
    const { issuer, row } = check(text);
    expect(issuer).toBe(meant);
    expect(row).toMatchObject({ status: 'problem', mend: `Write '${meant}'.` });
    expect(JSON.stringify(row)).not.toContain('hunter2');
  });

  it.each([
    ['a.example', '--issuer https://a.example'],
    ['ftp://a.example', 'https:// first'],
    ['https://', 'https:// first'],
    ['', 'https:// first'],
  ])('asks nobody where it is no address: %p', (text, mend) => {
    expect(check(text)).toMatchObject({
      issuer: undefined,
      row: { status: 'problem', mend: expect.stringContaining(mend) },
    });
  });

  it('may be a name where the keys are found without it (RFC 7519 §4.1.1)', () => {
    expect(check('joe', { jwksUri: 'https://a.example/jwks' }).row.status).toBe('warning');
  });

  it('may be http on loopback, and elsewhere only where that is allowed', () => {
    expect(check('http://a.example')).toMatchObject({ issuer: undefined, row: { status: 'problem' } });
    expect(check('http://a.example', { allowHttp: true })).toMatchObject({
      issuer: 'http://a.example',
      row: { status: 'warning' },
    });
  });
});
