import { describe, expect, it } from '@jest/globals';
import { google } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

// https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    aud: 'https://example.com',
    azp: '113774264463038321964',
    email: 'gae-gcp@appspot.gserviceaccount.com',
    sub: '113774264463038321964',
    email_verified: true,
    iss: 'https://accounts.google.com',
  },
).publish(
  'https://accounts.google.com/.well-known/openid-configuration',
  'https://accounts.google.com',
  'https://www.googleapis.com/oauth2/v3/certs',
);
const options = google({ audience: 'https://example.com', emails: ['gae-gcp@appspot.gserviceaccount.com'] });

describe('google', () => {
  it('accepts the token of a service account that is listed', async () => {
    const token = await provider.verify(options, provider.token());
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it('grants nothing for claims that Google does not write', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it.each([
    ['of a service account that is not listed', { email: 'evil@evil.iam.gserviceaccount.com' }, 'CLAIM_INVALID'],
    ['whose address is not verified', { email_verified: false }, 'CLAIM_INVALID'],
    ['whose address is verified in words only', { email_verified: 'true' }, 'CLAIM_INVALID'],
    ['that does not say whether its address is verified', { email_verified: undefined }, 'CLAIM_INVALID'],
    ['without an address', { email: undefined }, 'CLAIM_MISSING'],
    ['with a list of addresses', { email: ['gae-gcp@appspot.gserviceaccount.com'] }, 'CLAIM_INVALID'],
    ['for another audience', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of a user, with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
    ['whose issuer has no scheme', { iss: 'accounts.google.com' }, 'ISSUER_UNTRUSTED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('refuses an opaque access token (TOKEN_MALFORMED)', async () => {
    expect(await provider.outcome(options, 'ya29.a0AfH6SMBx')).toBe('TOKEN_MALFORMED');
  });

  it('accepts by the id of the account, which needs no address', async () => {
    const bySubject = google({ audience: 'https://example.com', subjects: ['113774264463038321964'] });
    expect(await provider.outcome(bySubject, provider.token({ email: undefined, email_verified: undefined }))).toBe(
      'accepted',
    );
    expect(await provider.outcome(bySubject, provider.token({ sub: '1' }))).toBe('CLAIM_INVALID');
    expect(await provider.outcome(bySubject, provider.token({ sub: undefined }))).toBe('CLAIM_MISSING');
    expect(await provider.outcome(bySubject, provider.token({ sub: '1', email: undefined }))).toBe('CLAIM_INVALID');
  });

  it('accepts whoever is on either list', async () => {
    const both = google({ audience: 'https://example.com', subjects: ['1'], emails: ['a@example.com'] });
    expect(await provider.outcome(both, provider.token({ sub: '1', email: 'b@example.com' }))).toBe('accepted');
    expect(await provider.outcome(both, provider.token({ sub: '2', email: 'a@example.com' }))).toBe('accepted');
    expect(await provider.outcome(both, provider.token({ sub: '2', email: 'b@example.com' }))).toBe('CLAIM_INVALID');
  });

  it('lets anyone in only when told so', async () => {
    const anyone = google({ audience: 'https://example.com', insecureAllowAnyone: true });
    expect(await provider.outcome(anyone, provider.token({ email: 'evil@evil.example' }))).toBe('accepted');
    expect(await provider.outcome(anyone, provider.token({ aud: 'x' }))).toBe('AUDIENCE_MISMATCH');
  });

  const missing =
    'google().emails: is missing: anyone with a Google account can get a token for your audience; list who may call, or set insecureAllowAnyone: true';
  it.each([
    [{}, missing],
    [{ insecureAllowAnyone: false }, missing],
    [{ emails: undefined }, 'google().emails: is undefined: set the variable that it comes from, or leave it out'],
    [{ emails: [] }, 'google().emails: is an empty list. Set it to a non-empty list of strings.'],
    [{ emails: ['orders'] }, 'google().emails[0]: must be an e-mail address'],
    [
      { emails: ['a@example.com'], insecureAllowAnyone: true },
      'google().insecureAllowAnyone: contradicts the list of those who may call',
    ],
    [
      { emails: ['a@example.com'], audience: '' },
      "google().audience: is missing. Set it to the address of your service, 'https://orders-….run.app' say.",
    ],
    [{ insecureAllowAnyone: 'yes' }, 'google().insecureAllowAnyone: is "yes". Set it to true or false.'],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => google({ audience: 'https://example.com', ...given } as never))).toContain(problem);
  });
});
