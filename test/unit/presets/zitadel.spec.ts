import { describe, expect, it } from '@jest/globals';
import { zitadel } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

const iss = 'https://my-instance.zitadel.cloud';
const project = '69234237810729019';
// https://zitadel.com/docs/apis/openidoauth/claims
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    iss,
    sub: '77776025198584418',
    aud: ['69234237810729234', project],
    azp: '69234237810729234',
    jti: '69234237813329048',
    [`urn:zitadel:iam:org:project:${project}:roles`]: {
      user: { id1: 'acme.zitade.ch', id2: 'caos.ch' },
      editor: { id1: 'acme.zitade.ch' },
    },
    'urn:zitadel:iam:org:project:roles': { admin: { id1: 'acme.zitade.ch' } },
  },
).publish(`${iss}/.well-known/openid-configuration`, iss, `${iss}/oauth/v2/keys`);
const options = zitadel({ domain: 'my-instance.zitadel.cloud', audience: project });

describe('zitadel', () => {
  it('accepts an access token; its roles are the names of the members of the claim for the project', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['user', 'editor']);
  });

  it("counts roles in the client's project only when told so", async () => {
    const given = zitadel({ issuer: iss, audience: project, clientProjectRoles: true });
    expect((await provider.verify(given, provider.token())).roles).toEqual(['user', 'editor', 'admin']);
  });

  it('counts no roles in other projects', async () => {
    const token = provider.token({
      [`urn:zitadel:iam:org:project:${project}:roles`]: undefined,
      'urn:zitadel:iam:org:project:1:roles': { admin: { id1: 'x' } },
    });
    expect((await provider.verify(options, token)).roles).toEqual([]);
  });

  it('takes an issuer with a port', () => {
    expect(zitadel({ issuer: 'http://localhost:8080/', audience: project }).issuer).toBe('http://localhost:8080');
  });

  it.each([
    ['of another instance', { iss: 'https://other.zitadel.cloud' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: `${iss}/` }, 'ISSUER_UNTRUSTED'],
    ['for another project', { aud: ['1', '2'] }, 'AUDIENCE_MISMATCH'],
    ['without jti, as an ID token', { jti: undefined, nonce: 'n' }, 'CLAIM_MISSING'],
    ['that is an ID token with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('refuses an opaque token (TOKEN_MALFORMED)', async () => {
    expect(
      await provider.outcome(options, 'dEnGhIFs3VnqcQU5D2zRSeiarB1nwH6goIKY0J8MWZbsnWcTuu1C59lW9DgCq1y096GYdXA'),
    ).toBe('TOKEN_MALFORMED');
  });

  it.each([
    [
      { domain: 'https://x.zitadel.cloud', audience: project },
      "zitadel().domain: must be a host alone, without a scheme and without a slash: write 'x.zitadel.cloud'",
    ],
    [
      { audience: project },
      "zitadel().domain: is missing. Set it to the host of the issuer, 'my-instance.zitadel.cloud' say.",
    ],
    [
      { issuer: 'x.zitadel.cloud', audience: project },
      "zitadel().issuer: must be an address without credentials, query and fragment: 'https://my-instance.zitadel.cloud' say",
    ],
    [
      { issuer: undefined, audience: project },
      "zitadel().issuer: is missing. Set it to the address, 'https://my-instance.zitadel.cloud' say.",
    ],
    [{ issuer: iss, domain: 'x.zitadel.cloud', audience: project }, 'zitadel().domain: give either that or `issuer`'],
    [{ issuer: iss }, "zitadel().audience: is missing. Set it to the id of your project, '69234237810729019' say."],
    [
      { issuer: iss, audience: 'my-project' },
      'zitadel().audience: must be the id of a project, a number; "my-project" is none',
    ],
    [
      { issuer: iss, audience: project, clientProjectRoles: 1 },
      'zitadel().clientProjectRoles: is 1. Set it to true or false.',
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => zitadel(given as never))).toEqual([problem]);
  });
});
