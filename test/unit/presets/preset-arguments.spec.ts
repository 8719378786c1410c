import { describe, expect, it } from '@jest/globals';
import { auth0, clerk, cognito, google, keycloak } from '../../../src/presets.js';
import { problemsOf, rejectsOptions } from '../../support/provider.js';

describe('The options of a preset', () => {
  const host = 'domain: must be a host without scheme and slash; write';
  rejectsOptions(auth0, { domain: 'tenant.auth0.com', audience: 'api' }, [
    [{ domain: 'https://tenant.auth0.com/' }, `${host} 'tenant.auth0.com'`],
    [{ domain: 'tenant.auth0.com/' }, `${host} 'tenant.auth0.com'`],
    [{ domain: 'tenant' }, `${host} 'tenant.eu.auth0.com'`],
    [{ domain: 'undefined.auth0.com' }, 'domain: is "undefined.auth0.com": a variable in it is not set'],
    [{ domain: undefined }, "domain: is missing: the host of the issuer, for example 'tenant.eu.auth0.com'"],
    [{ domain: '' }, 'domain: is missing'],
    [{ audience: [] }, 'audience: must be a non-empty list of strings'],
    [{ audience: ['api', ''] }, 'audience[1]: must be a non-empty string'],
    [{ audience: '<your API>' }, 'audience: is "<your API>"'],
    [{ audience: ['api', '<your API>'] }, 'audience[1]: is "<your API>"'],
    [{ audience: ['https://api.undefined.com'] }, 'audience[0]: is "https://api.undefined.com": a variable'],
    [{ rolesClaim: undefined }, 'rolesClaim: is undefined. Set the variable that it comes from, or omit the option'],
    [{ scope: 'x' }, 'scope: is not an option; there are domain, audience, rolesClaim'],
  ]);

  const url = 'url: must be an http(s) URL without credentials, query and fragment';
  rejectsOptions(keycloak, { url: 'https://id.example.com', realm: 'shop', audience: 'api' }, [
    [{ url: 'id.example.com' }, url],
    [{ url: 'ftp://id.example.com' }, url],
    [{ url: 'https://id.example.com?x=1' }, url],
    [{ url: 'https://id.example.com#x' }, url],
    [{ url: 'https://joe:secret@id.example.com' }, url],
    [{ url: 'https://undefined/auth' }, 'url: is "https://undefined/auth": a variable'],
    [{ url: undefined }, "url: is missing: a URL, for example 'https://id.example.com'"],
    [{ internalUrl: 'keycloak:8080' }, 'internalUrl: must be an http(s) URL'],
  ]);

  rejectsOptions(cognito, { region: 'eu-central-1', userPoolId: 'eu-central-1_Ab', clientId: 'c' }, [
    [{ issuerType: 'new' }, "issuerType: must be 'original' or 'updated'"],
    [{ validate: true }, 'validate: must be a function'],
  ]);
  rejectsOptions(google, { audience: 'api', emails: ['a@example.com'] }, [
    [{ insecureAllowAnyone: 'yes' }, 'insecureAllowAnyone: must be a boolean'],
  ]);
  rejectsOptions(clerk, { frontendApiUrl: 'https://a.example', authorizedParties: 'https://b.example' }, [
    [{ audience: '' }, 'audience: is missing'],
  ]);

  it('are rejected with all problems together', () => {
    expect(problemsOf(() => auth0({ domain: 'http://x', audience: '' }))).toHaveLength(2);
    expect(problemsOf(() => auth0(undefined as never))).toHaveLength(3);
  });
});
