import { describe, expect, it } from '@jest/globals';
import { zitadel } from '../../../src/presets.js';
import { verifierOf } from '../../support/verifier.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://my-instance.zitadel.cloud';
const project = '69234237810729019';
// https://zitadel.com/docs/apis/openidoauth/claims
const provider = new Provider({
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
}).publish(iss, `${iss}/oauth/v2/keys`);
const options = zitadel({ domain: 'my-instance.zitadel.cloud', audience: project });

describe('zitadel', () => {
  it('fetches keys at an internal address, and names the public host there', async () => {
    const internal = zitadel({ domain: 'id.example.com', audience: project, internalUrl: 'https://zitadel.internal/' });
    const inside = new Provider({ iss: 'https://id.example.com', aud: project, jti: 'a', sub: 'alice' });
    let forwarded: string | null = null;
    const fetch: typeof globalThis.fetch = (address, init) => {
      forwarded = new Headers(init?.headers).get('forwarded');
      return inside.publishKeys('https://zitadel.internal/oauth/v2/keys').fetch(address, init);
    };
    await verifierOf({ ...internal, fetch }).verify(inside.token());
    expect(forwarded).toBe('host=id.example.com');
  });

  it("accepts an access token, with the member names of the project's claim as roles", async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['user', 'editor']);
  });

  it("reads roles in the client's project only with `clientProjectRoles`", async () => {
    const given = zitadel({ issuer: iss, audience: project, clientProjectRoles: true });
    expect((await provider.verify(given, provider.token())).roles).toEqual(['user', 'editor', 'admin']);
  });

  it('does not read roles in other projects', async () => {
    const token = provider.token({
      [`urn:zitadel:iam:org:project:${project}:roles`]: undefined,
      'urn:zitadel:iam:org:project:1:roles': { admin: { id1: 'x' } },
    });
    expect((await provider.verify(options, token)).roles).toEqual([]);
  });

  it('accepts an issuer with a port', () => {
    expect(zitadel({ issuer: 'http://localhost:8080/', audience: project }).issuer).toBe('http://localhost:8080');
  });

  rejectsTokens(provider, options, [
    ['of another instance', { iss: 'https://other.zitadel.cloud' }, 'ISSUER_UNTRUSTED'],
    ['for another project', { aud: ['1', '2'] }, 'AUDIENCE_MISMATCH'],
    ['without jti (an ID token)', { jti: undefined, nonce: 'n' }, 'CLAIM_MISSING'],
    ['that is an ID token with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ]);

  it('rejects an opaque token (TOKEN_MALFORMED)', async () => {
    expect(await provider.outcome(options, 'dEnGhIFs3VnqcQU5D2zRSeiarB1nwH6goIKY0J8MWZ')).toBe('TOKEN_MALFORMED');
  });

  rejectsOptions(zitadel, { audience: project }, [
    [{}, 'domain: is missing'],
    [{ issuer: iss, domain: 'x.zitadel.cloud' }, 'domain: is set beside `issuer`. Remove one of them.'],
    [{ issuer: iss, audience: 'my-project' }, 'audience: is "my-project". Set it to the id of your project'],
  ]);
});
