import { describe, expect, it } from '@jest/globals';
import { clerk } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const iss = 'https://clerk.example.com';
// https://clerk.com/docs/guides/sessions/session-tokens, version 2
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT', cat: 'cl_B7d4PD111AAA', oiat: 1 },
  {
    azp: 'https://example.com',
    fva: [7, -1],
    iss,
    jti: '1234567890',
    nbf: Math.floor(Date.now() / 1000) - 10,
    sid: 'sess_123',
    sub: 'user_123',
    v: 2,
    pla: 'o:pro',
    fea: 'o:dashboard,o:teams',
    o: { id: 'org_123', slg: 'org-slug', rol: 'admin', per: 'manage,read', fpm: '3,2' },
  },
).publishKeys(`${iss}/.well-known/jwks.json`);
const instance = {
  frontendApiUrl: 'https://clerk.example.com',
  authorizedParties: ['https://example.com', 'http://localhost:3000'],
};

describe('clerk', () => {
  it('accepts a session token of version 2, with the role in the organization', async () => {
    const token = await provider.verify(clerk(instance), provider.token());
    expect([token.roles, token.permissions]).toEqual([['admin'], []]);
  });

  it('accepts a session token of version 1, with its role and permissions', async () => {
    const token = await provider.verify(
      clerk(instance),
      provider.token({
        v: undefined,
        o: undefined,
        org_role: 'org:admin',
        org_permissions: ['org:orders:read'],
        azp: 'http://localhost:3000',
      }),
    );
    expect([token.roles, token.permissions]).toEqual([['org:admin'], ['org:orders:read']]);
  });

  it.each([
    ['made for another origin', { azp: 'https://evil.example' }, 'AUDIENCE_MISMATCH'],
    ['made for the origin with a slash', { azp: 'https://example.com/' }, 'AUDIENCE_MISMATCH'],
    ['made for a subdomain', { azp: 'https://sub.example.com' }, 'AUDIENCE_MISMATCH'],
    ['made for nobody in particular', { azp: undefined }, 'CLAIM_MISSING'],
    ['made for several', { azp: ['https://example.com'] }, 'CLAIM_INVALID'],
    ['of a pending session', { sts: 'pending' }, 'CLAIM_INVALID'],
    ['without a session', { sid: undefined }, 'CLAIM_MISSING'],
    ['that is customized for somebody else', { aud: 'https://hasura.example' }, 'AUDIENCE_MISMATCH'],
    ['of another instance', { iss: 'https://other.clerk.accounts.dev' }, 'ISSUER_UNTRUSTED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(clerk(instance), provider.token(claims))).toBe(code);
  });

  it.each([
    ['an OAuth access token', { typ: 'at+jwt' }],
    ['no type', { typ: undefined }],
  ])('refuses %s (TYPE_NOT_ALLOWED)', async (_what, header) => {
    expect(await provider.outcome(clerk(instance), provider.token({}, header))).toBe('TYPE_NOT_ALLOWED');
  });

  it('refuses HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(clerk(instance), symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  // https://clerk.com/docs/guides/sessions/jwt-templates: the default claims, and what the template adds.
  it('refuses a token of a JWT template, which is of no session (CLAIM_MISSING)', async () => {
    const ofSession = { fva: undefined, sid: undefined, v: undefined, pla: undefined, fea: undefined, o: undefined };
    const token = provider.token({ ...ofSession, aud: 'https://api.example.com' });
    expect(await provider.outcome(clerk({ ...instance, audience: 'https://api.example.com' }), token)).toBe(
      'CLAIM_MISSING',
    );
  });

  // https://clerk.com/docs/reference/backend/instance/update: allowedOrigins.
  it.each([
    'chrome-extension://mnhbilbfebpbokpjjamapdecdgieldho',
    'capacitor://localhost',
    'capacitor://localhost:3000',
    'my-app://localhost',
  ])('accepts the origin of an extension or a web view: %s', async (origin) => {
    const options = clerk({ ...instance, authorizedParties: [origin] });
    expect(await provider.outcome(options, provider.token({ azp: origin }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token())).toBe('AUDIENCE_MISMATCH');
  });

  it('accepts only customized session tokens for the audience, where one is given', async () => {
    const options = clerk({ ...instance, audience: 'https://api.example.com' });
    expect(await provider.outcome(options, provider.token({ aud: 'https://api.example.com' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ aud: 'x' }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_MISSING');
  });

  it('accepts pending sessions when told so', async () => {
    const options = clerk({ ...instance, allowPendingSessions: true });
    expect(await provider.outcome(options, provider.token({ sts: 'pending' }))).toBe('accepted');
  });

  it.each([
    [
      { frontendApiUrl: 'clerk.example.com' },
      "clerk().frontendApiUrl: must be an address without credentials, query and fragment: 'https://clerk.example.com' say",
    ],
    [
      { frontendApiUrl: undefined },
      "clerk().frontendApiUrl: is missing. Set it to the address, 'https://clerk.example.com' say.",
    ],
    [{ authorizedParties: [] }, 'clerk().authorizedParties: is an empty list. Set it to a non-empty list of strings.'],
    [
      { authorizedParties: undefined },
      "clerk().authorizedParties: is missing. Set it to the origins of your front ends, ['https://example.com'] say.",
    ],
    [
      { authorizedParties: ['https://example.com/'] },
      `clerk().authorizedParties: must be origins, 'https://example.com', without a path and a slash; "https://example.com/" is none`,
    ],
    ...[
      'chrome-extension://mnhbilbfebpbokpjjamapdecdgieldho/',
      'capacitor:localhost',
      'http://user@localhost',
      'https://example.com:443',
    ].map((party): [object, string] => [
      { authorizedParties: party },
      `clerk().authorizedParties: must be origins, 'https://example.com', without a path and a slash; "${party}" is none`,
    ]),
    [
      { authorizedParties: '*' },
      `clerk().authorizedParties: must be origins, 'https://example.com', without a path and a slash; "*" is none`,
    ],
    [{ audience: undefined }, 'clerk().audience: is undefined: set the variable that it comes from, or leave it out'],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => clerk({ ...instance, ...given }))).toEqual([problem]);
  });
});
