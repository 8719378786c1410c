import { describe, expect, it } from '@jest/globals';
import { github, type GithubOptions } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://token.actions.githubusercontent.com';
// https://docs.github.com/actions/concepts/security/openid-connect
const provider = new Provider(
  {
    sub: 'repo:octo-org/octo-repo:environment:prod',
    environment: 'prod',
    aud: 'https://api.example.com',
    ref: 'refs/heads/main',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    repository_id: '74',
    repository_owner_id: '65',
    event_name: 'workflow_dispatch',
    iss,
  },
  { typ: 'JWT', x5t: 'example-thumbprint' },
).publish(iss, `${iss}/.well-known/jwks`);
const audience = 'https://api.example.com';

describe('github', () => {
  const lists: [Partial<GithubOptions>, Record<string, unknown>][] = [
    [{ repositories: ['octo-org/octo-repo'] }, { repository: 'octo-org/other' }],
    [{ repositories: ['octo-org/octo-repo'] }, { repository: 'evil/octo-repo', repository_owner: 'evil' }],
    [{ repositoryIds: ['74'] }, { repository_id: '75' }],
    [{ repositoryOwners: ['octo-org'] }, { repository_owner: 'evil' }],
    [{ repositoryOwnerIds: ['65'] }, { repository_owner_id: '66' }],
    [{ repositoryIds: ['74'], refs: ['refs/heads/main'] }, { ref: 'refs/pull/7/merge' }],
    [{ repositoryIds: ['74'], environments: ['prod'] }, { environment: 'preview' }],
    [{ repositoryIds: ['74'], events: ['push', 'workflow_dispatch'] }, { event_name: 'pull_request_target' }],
    [{ repositories: ['octo-org/octo-repo'], repositoryOwnerIds: ['65'] }, { repository_owner_id: '99' }],
    [{ repositories: ['octo-org/octo-repo'], repositoryOwnerIds: ['65'] }, { repository: 'octo-org/other' }],
  ];

  it.each(lists)('with %j rejects %j (CLAIM_INVALID)', async (given, other) => {
    const options = github({ audience, ...given });
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token(other))).toBe('CLAIM_INVALID');
  });

  const options = github({ audience, repositories: ['octo-org/octo-repo'], environments: ['prod'] });

  rejectsTokens(provider, options, [
    ['for the default audience of GitHub', { aud: 'https://github.com/octo-org' }, 'AUDIENCE_MISMATCH'],
    ['without a repository', { repository: undefined }, 'CLAIM_MISSING'],
    ['of a job without an environment', { environment: undefined }, 'CLAIM_MISSING'],
    ['of several repositories', { repository: ['octo-org/octo-repo'] }, 'CLAIM_INVALID'],
    ['with the repository only in `sub`', { repository: 'evil/evil' }, 'CLAIM_INVALID'],
    ['of GitHub Enterprise', { iss: 'https://token.actions.octocorp.ghe.com' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('reads no scopes, roles and permissions', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it('accepts the issuer of GitHub Enterprise', () => {
    const given = github({ audience, repositoryIds: ['1'], issuer: 'https://token.actions.octocorp.ghe.com' });
    expect(given.issuer).toBe('https://token.actions.octocorp.ghe.com');
  });

  rejectsOptions(github, { audience }, [
    [{}, 'repositories: is missing. Anyone on GitHub can get a token for your audience'],
    [{ refs: ['refs/heads/main'] }, 'repositories: is missing. Anyone on GitHub'],
    [{ repositories: [] }, 'repositories: is an empty list'],
    [{ repositories: ['octo-repo'] }, 'repositories[0]: is "octo-repo". Set it to a repository'],
    [{ repositories: ['octo-org/*'] }, 'repositories[0]: is "octo-org/*". Set it to a repository'],
    [{ repositoryIds: ['octo-org'] }, 'repositoryIds[0]: is "octo-org". Set it to the id of a repository'],
    [{ repositoryOwners: ['octo-org/octo-repo'] }, 'repositoryOwners[0]: is "octo-org/octo-repo". Set it to an owner'],
    [{ repositoryOwnerIds: ['octo-org'] }, 'repositoryOwnerIds[0]: is "octo-org". Set it to the id of an owner'],
    [{ repositoryIds: ['1'], refs: ['main'] }, 'refs[0]: is "main". Set it to a complete ref'],
    [{ repositoryIds: ['1'], environments: '' }, 'environments: is missing. Set it to an environment'],
  ]);
});
