import { describe, expect, it } from '@jest/globals';
import { type CheckName, problem } from '../../../../src/cli/doctor/check-row.js';
import { pasted, type PastedFacts } from '../../../../src/cli/doctor/pasted.js';

const paste = (facts: Partial<PastedFacts> = {}) =>
  pasted({
    issuer: 'https://issuer.example.com',
    audience: ['api'],
    jwksUri: undefined,
    allowHttp: false,
    clockToleranceSeconds: 5,
    rows: [],
    token: undefined,
    ...facts,
  });

describe('what is to be pasted', () => {
  it.each<CheckName>(['reachable', 'jwks-uri', 'jwks'])('is nothing while %s is a problem, and it says so', (check) => {
    const { text, row } = paste({ rows: [problem(check, 'x', 'y')] });
    expect(text).toBeUndefined();
    expect(row).toMatchObject({
      check: 'configuration',
      status: 'skipped',
      mend: `Once ${check} is mended, run this again for the configuration.`,
    });
  });

  it('is nothing while it is not known who the issuer is', () => {
    const rows = [problem('discovery', 'x', 'y'), problem('metadata-issuer', 'x', 'y')];
    expect(paste({ issuer: undefined, rows })).toMatchObject({
      text: undefined,
      row: { mend: 'Once discovery and metadata-issuer are mended, run this again for the configuration.' },
    });
    expect(paste({ issuer: undefined }).row.mend).toContain('Once issuer is mended');
    expect(paste({ issuer: 'joe:secret@example.com' }).text).toBeUndefined();
  });

  it('is nothing while the token names the issuer in another way', () => {
    const token = { issuer: 'https://issuer.example.com/', audience: [] };
    expect(paste({ token })).toMatchObject({ text: undefined, row: { mend: expect.stringContaining('token.issuer') } });
    expect(paste({ token: { ...token, issuer: 'https://else.example.com' } }).text).toBeDefined();
    const issuer = 'http://keycloak:8080/realms/shop';
    const named = { issuer: 'https://id.example.com/realms/shop', audience: [] };
    expect(paste({ issuer, token: named }).text).toBeUndefined();
  });

  it('has the audience as the token spells it, and without white space', () => {
    const token = { issuer: undefined, audience: ['account', 'API/'] };
    expect(paste({ token }).text).toContain("audience: 'API/'");
    expect(paste({ audience: ['api', 'API/'], token }).text).toContain("audience: ['api', 'API/']");
    expect(paste({ audience: [' api\n'] })).toMatchObject({
      text: expect.stringContaining("audience: 'api'"),
      row: { status: 'problem', mend: expect.stringContaining('Write "api"') },
    });
  });

  it('warns of several audiences in one', () => {
    expect(paste({ audience: ['orders,stock'] }).row).toMatchObject({
      status: 'warning',
      mend: 'If these are several, give each for itself: --audience orders --audience stock.',
    });
  });

  it('tells what a preset has against it as a problem', () => {
    expect(paste({ issuer: 'https://my.zitadel.cloud' })).toMatchObject({
      row: {
        status: 'problem',
        found: 'zitadel() refuses audience',
        mend: expect.stringContaining('audience must be the id of a project, a number'),
      },
      text: expect.stringMatching(/^\/\/ Not to be pasted/),
    });
  });

  it('says what takes it, and that there is something to fill in', () => {
    expect(paste().row).toEqual({ check: 'configuration', status: 'ok', found: 'AuthModule takes it' });
    expect(paste({ issuer: 'https://accounts.google.com' }).row.found).toBe(
      'google() takes it, once what stands in <…> is filled in',
    );
  });
});
