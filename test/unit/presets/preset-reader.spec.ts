import { describe, expect, it } from '@jest/globals';
import { auth0, google, keycloak } from '../../../src/presets.js';
import { problemsOf, rejectsOptions } from '../../support/provider.js';

describe('The options of a preset', () => {
  const host = "Set it to the host of the issuer without scheme and slash, for example 'tenant.eu.auth0.com'.";
  rejectsOptions(auth0, { domain: 'tenant.auth0.com', audience: 'api' }, [
    ...['https://tenant.auth0.com', 'tenant.auth0.com/', 'tenant', 'tenant..com', 'a_b.auth0.com'].map(
      (domain) => [{ domain }, `domain: is "${domain}". ${host}`] as const,
    ),
    [{ domain: 'undefined.auth0.com' }, 'domain: is "undefined.auth0.com". Set the variable that it comes from.'],
    [{ domain: undefined }, `domain: is missing. ${host}`],
    [{ audience: '' }, "audience: is missing. Set it to the Identifier of your API in Auth0, for example 'https://api"],
    [{ audience: [] }, 'audience: is an empty list. Set it to a non-empty list of strings.'],
    [{ audience: ['api', ''] }, 'audience[1]: is "". Set it to a non-empty string.'],
    [{ audience: ['api', '<your API>'] }, 'audience[1]: is "<your API>". Replace this placeholder with the value.'],
    [{ scope: 'x' }, 'scope: is unknown. Use one of domain, audience, rolesClaim.'],
  ]);

  const url = 'Set it to a URL (https://…) without credentials, query and fragment';
  rejectsOptions(keycloak, { url: 'https://id.example.com', realm: 'shop', audience: 'api' }, [
    ...['id.example.com', 'ftp://id.example.com', 'https://id.example.com?x=1', 'https://a@id.example.com'].map(
      (address) => [{ url: address }, url] as const,
    ),
    [{ internalUrl: 'https://id.example.com#x' }, `internalUrl: is "https://id.example.com#x". ${url}`],
  ]);

  rejectsOptions(google, { audience: 'api', emails: ['a@example.com'] }, [
    [{ insecureAllowAnyone: 'yes' }, 'insecureAllowAnyone: is "yes". Set it to true or false.'],
    [{ validate: true }, 'validate: is true. Set it to a function.'],
  ]);

  it('are rejected with all problems together', () => {
    expect(problemsOf(() => auth0({ domain: 'http://x', audience: '' }))).toHaveLength(2);
    expect(problemsOf(() => auth0(undefined as never))).toHaveLength(3);
  });
});
