import { describe, expect, it } from '@jest/globals';
import { compileFunction } from 'node:vm';
import type { DoctorRequest } from '../../../../src/cli/doctor/check-issuer.js';
import { suggestConfiguration } from '../../../../src/cli/doctor/suggested-configuration.js';
import { resolveOptions } from '../../../../src/options/resolve-options.js';
import * as presets from '../../../../src/presets.js';

const TENANT = '11111111-2222-3333-4444-555555555555';
const JWKS_URI = 'https://keys.example.com/jwks';

const suggest = (issuer: string, request: Partial<DoctorRequest> = {}) =>
  suggestConfiguration({
    issuer,
    audience: ['api'],
    jwksUri: undefined,
    clockToleranceSeconds: 5,
    allowHttp: false,
    ...request,
  });

/** The argument of `forRoot` on one line. */
const argumentOf = (issuer: string, request: Partial<DoctorRequest> = {}) =>
  suggest(issuer, request)
    .toText()
    .replace(/^import .*$/gm, '')
    .replace(/,?\s+(?=[)}])|\s+/g, ' ')
    .trim()
    .replace(/^AuthModule\.forRoot\((.*)\)$/, '$1');

/** The issuers of an application with this configuration, after the placeholders are replaced. */
function issuersOf(text: string) {
  const code = text
    .replace(/^import .*$/gm, '')
    .replace('<caller@your-project.iam.gserviceaccount.com>', 'caller@example.com')
    .replace('<octo-org/octo-repo>', 'owner/repository')
    .replace('<shop/frontend>', 'shop/frontend')
    .replace('<my-group/my-project>', 'group/project');
  const run = compileFunction(code, ['AuthModule', ...Object.keys(presets)]) as (...values: unknown[]) => void;
  const received: Parameters<typeof resolveOptions>[0][] = [];
  const forRoot = (options: Parameters<typeof resolveOptions>[0]) => received.push(options);
  run({ forRoot }, ...Object.values(presets));
  const { issuers } = resolveOptions(received[0] ?? { issuer: '', audience: '' });
  return typeof issuers === 'function' ? [] : issuers;
}

describe('the suggested configuration', () => {
  it('has a placeholder for an unknown audience, and a list for several audiences', () => {
    const issuer = 'https://issuer.example.com';
    expect(argumentOf(issuer, { audience: undefined })).toContain("audience: '<the audience of tokens for this API>'");
    expect(suggest(issuer, { audience: undefined }).hasPlaceholders).toBe(true);
    expect(argumentOf(issuer, { audience: ['a', 'b'] })).toBe(`{ issuer: '${issuer}', audience: [ 'a', 'b' ] }`);
  });

  it.each([
    ['https://tenant.eu.auth0.com/', 'api', "auth0({ domain: 'tenant.eu.auth0.com', audience: 'api' })"],
    [
      'https://id.example.com/realms/shop',
      'api',
      /keycloak\(\{ url: 'https:\/\/id\.example\.com', realm: 'shop', audience/,
    ],
    [`https://login.microsoftonline.com/${TENANT}/v2.0`, TENANT, /entraId\(\{ tenantId: '1.*', audience: '1.*' \}\)/],
    [`https://login.microsoftonline.us/${TENANT}/v2.0`, TENANT, /entraId\(\{ tenantId: '1.*', cloud: 'us-government'/],
    [`https://sts.windows.net/${TENANT}/`, TENANT, /entraId\(/],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC', 'client', /cognito\(.*clientId: 'client'/],
    ['https://example.okta.com/oauth2/aus1', 'api', /okta\(.*authorizationServerId: 'aus1'/],
    [
      'https://accounts.google.com',
      'api',
      /google\(.*emails: \[ '<caller@your-project\.iam\.gserviceaccount\.com>' \]/,
    ],
    ['https://token.actions.githubusercontent.com', 'api', /github\(.*repositories: \[ '<octo-org\/octo-repo>' \]/],
    [
      'https://kubernetes.default.svc.cluster.local',
      'api',
      "kubernetes({ audience: 'api', serviceAccounts: [ '<shop/frontend>' ] })",
    ],
    ['https://gitlab.com', 'api', /gitlab\(.*projects: \[ '<my-group\/my-project>' \]/],
    ['https://id.example.com/dex', 'api', "dex({ issuer: 'https://id.example.com/dex', clientId: 'api' })"],
    ['https://shop.kinde.com', 'api', "kinde({ domain: 'shop.kinde.com', audience: 'api' })"],
    ['http://sts.contoso.com/adfs/services/trust', 'api', "adfs({ host: 'sts.contoso.com', audience: 'api' })"],
    ['https://securetoken.google.com/shop-1', 'shop-1', "firebase({ projectId: 'shop-1' })"],
    ['https://my.zitadel.cloud', '692342', /zitadel\(\{ issuer: 'https:\/\/my\.zitadel\.cloud', audience: '692342'/],
    ['https://abcdef.supabase.co/auth/v1', 'orders', /supabase\(.*audience: 'orders'/],
    ['https://abcdef.supabase.co/auth/v1', 'authenticated', "supabase({ url: 'https://abcdef.supabase.co' })"],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com', /clerk\(.*authorizedParties: 'https/],
    ['https://acme.cloudflareaccess.com', 'ab'.repeat(32), /cloudflareAccess\(\{ team: 'acme', audience: 'ab/],
    ['https://cloud.google.com/iap', '/projects/1/apps/a', "googleIap({ audience: '/projects/1/apps/a' })"],
    [
      'https://auth.example.com/application/o/orders/',
      'client',
      /authentik\(.*application: 'orders', clientId: 'client'/,
    ],
    ['https://happy-cat-1.projects.oryapis.com', 'api', /ory\(\{ issuer: 'https:\/\/happy.*audience: 'api'/],
    ['https://acme-1.authkit.app', 'api', "workosConnect({ authkitDomain: 'acme-1.authkit.app', audience: 'api' })"],
    ['https://shop.logto.app/oidc', 'api', /logto\(.*resource: 'api'/],
  ])('calls the preset of %s for the audience %s, and an application starts with it', (issuer, audience, call) => {
    const { toText, problem } = suggest(issuer, { audience: [audience] });
    expect(problem).toBeUndefined();
    const argument = argumentOf(issuer, { audience: [audience] });
    expect(argument).toEqual(typeof call === 'string' ? call : expect.stringMatching(call));
    const own = issuersOf(toText()).find((options) => options.issuer === issuer);
    expect(own?.audience).toContain(audience);

    // Other keys must not remove the checks of the preset: they keep strangers out.
    const request = { audience: [audience], jwksUri: JWKS_URI, clockToleranceSeconds: 30 };
    const suggested = suggest(issuer, request);
    if (suggested.problem !== undefined) {
      // The preset returns several issuers, and each has its own keys.
      expect(suggested.problem).toContain('keys is set beside `issuers`');
      return;
    }
    const [withKeys] = issuersOf(suggested.toText());
    const providerCheck = own?.providerCheck && (expect.any(Function) as never);
    const keys = expect.objectContaining({ uris: [JWKS_URI] });
    expect(withKeys).toEqual({ ...own, keys, clockToleranceSeconds: 30, providerCheck });
  });

  it('needs no audience for tokens without one, and uses it for the client that the issuer does not name', () => {
    const named = 'https://api.workos.com/user_management/client_1';
    expect(argumentOf(named, { audience: undefined })).toBe("workos({ clientId: 'client_1' })");
    expect(suggest(named, { audience: undefined })).toMatchObject({ problem: undefined, hasAudience: true });
    expect(suggest(named).problem).toBe('Omit --audience: tokens have no audience');
    const legacy = { audience: ['client_1'] };
    expect(argumentOf('https://api.workos.com', legacy)).toMatch(/workos\(\{ issuer: '.*', clientId: 'client_1' \}\)/);
    expect(suggest('https://api.workos.com', legacy).problem).toBeUndefined();
  });

  it.each(['https://tenant.eu.auth0.com', 'https://auth0.com.example.com/', 'https://id.example.com/realms/shop/'])(
    'uses no preset for %s, because a preset would write the issuer differently',
    (issuer) => {
      expect(argumentOf(issuer)).toBe(`{ issuer: '${issuer}', audience: 'api' }`);
    },
  );

  it.each(['accounts.google.com', 'https://accounts.google.com/'])(
    'uses the preset for %s in any spelling, because Google issues tokens to anyone',
    (issuer) => {
      expect(argumentOf(issuer, { jwksUri: JWKS_URI })).toMatch(/^\{ \.\.\.google\(\{.*\}\), keys: \{ from: 'jwks'/);
    },
  );

  it.each([
    ['https://my.zitadel.cloud', 'orders'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com/'],
    ['https://securetoken.google.com/shop-1', 'orders'],
    ['https://login.microsoftonline.com/common/v2.0', TENANT],
  ])('has the problem for which an application with %s and the audience %s does not start', (issuer, audience) => {
    expect(suggest(issuer, { audience: [audience] }).problem).toMatch(/\w/);
  });

  it('escapes values', () => {
    expect(argumentOf("https://issuer.example.com/'\\\u202e")).toContain(
      String.raw`"https://issuer.example.com/'\\\u202e"`,
    );
  });
});
