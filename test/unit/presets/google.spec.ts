import { describe, expect, it } from '@jest/globals';
import { google } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

// https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
const provider = new Provider({
  aud: 'https://example.com',
  azp: '113774264463038321964',
  email: 'gae-gcp@appspot.gserviceaccount.com',
  sub: '113774264463038321964',
  email_verified: true,
  iss: 'https://accounts.google.com',
}).publish('https://accounts.google.com', 'https://www.googleapis.com/oauth2/v3/certs');
const options = google({ audience: 'https://example.com', emails: ['gae-gcp@appspot.gserviceaccount.com'] });

describe('google', () => {
  it('accepts the token of a listed service account, without scopes, roles and permissions', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  rejectsTokens(provider, options, [
    ['of a service account not in the list', { email: 'evil@evil.iam.gserviceaccount.com' }, 'CLAIM_INVALID'],
    ['with an email address that is not verified', { email_verified: false }, 'CLAIM_INVALID'],
    ['with an `email_verified` that is a string', { email_verified: 'true' }, 'CLAIM_INVALID'],
    ['without `email_verified`', { email_verified: undefined }, 'CLAIM_INVALID'],
    ['without an email address', { email: undefined }, 'CLAIM_MISSING'],
    ['with a list of email addresses', { email: ['gae-gcp@appspot.gserviceaccount.com'] }, 'CLAIM_INVALID'],
    ['for another audience', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of a user, with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
    ['with another spelling of the issuer', { iss: 'http://accounts.google.com' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('rejects an opaque access token (TOKEN_MALFORMED)', async () => {
    expect(await provider.outcome(options, 'ya29.a0AfH6SMBx')).toBe('TOKEN_MALFORMED');
  });

  it('accepts the issuer without its scheme', async () => {
    expect(await provider.outcome(options, provider.token({ iss: 'accounts.google.com' }))).toBe('accepted');
  });

  it('accepts an account by its id, without an email address', async () => {
    const bySubject = google({ audience: 'https://example.com', subjects: ['113774264463038321964'] });
    const noEmail = { email: undefined, email_verified: undefined };
    expect(await provider.outcome(bySubject, provider.token(noEmail))).toBe('accepted');
    expect(await provider.outcome(bySubject, provider.token({ sub: '1' }))).toBe('CLAIM_INVALID');
    expect(await provider.outcome(bySubject, provider.token({ sub: undefined }))).toBe('CLAIM_MISSING');
    expect(await provider.outcome(bySubject, provider.token({ ...noEmail, sub: '1' }))).toBe('CLAIM_INVALID');
  });

  it('accepts a caller on either list', async () => {
    const both = google({ audience: 'https://example.com', subjects: ['1'], emails: ['a@example.com'] });
    expect(await provider.outcome(both, provider.token({ sub: '1', email: 'b@example.com' }))).toBe('accepted');
    expect(await provider.outcome(both, provider.token({ sub: '2', email: 'a@example.com' }))).toBe('accepted');
    expect(await provider.outcome(both, provider.token({ sub: '2', email: 'b@example.com' }))).toBe('CLAIM_INVALID');
  });

  it('accepts anyone with `insecureAllowAnyone`', async () => {
    const anyone = google({ audience: 'https://example.com', insecureAllowAnyone: true });
    expect(await provider.outcome(anyone, provider.token({ email: 'evil@evil.example' }))).toBe('accepted');
    expect(await provider.outcome(anyone, provider.token({ aud: 'x' }))).toBe('AUDIENCE_MISMATCH');
  });

  rejectsOptions(google, { audience: 'https://example.com' }, [
    [{}, 'emails: is missing. Anyone with a Google account can get a token for your audience'],
    [{ insecureAllowAnyone: false }, 'emails: is missing. Anyone'],
    [{ emails: [] }, 'emails: is an empty list'],
    [{ emails: ['orders'] }, 'emails[0]: is "orders". Set it to the email address of a caller'],
    [{ emails: ['a@example.com'], insecureAllowAnyone: true }, 'insecureAllowAnyone: is set beside a list of callers'],
  ]);
});
