import { describe, expect, it } from '@jest/globals';
import { github, type GithubOptions } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

const iss = 'https://token.actions.githubusercontent.com';
// https://docs.github.com/actions/concepts/security/openid-connect
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT', x5t: 'example-thumbprint' },
  {
    jti: 'example-id',
    sub: 'repo:octo-org/octo-repo:environment:prod',
    environment: 'prod',
    aud: 'https://api.example.com',
    ref: 'refs/heads/main',
    sha: 'example-sha',
    repository: 'octo-org/octo-repo',
    repository_owner: 'octo-org',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '74',
    repository_owner_id: '65',
    actor: 'octocat',
    event_name: 'workflow_dispatch',
    ref_type: 'branch',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
    iss,
  },
).publish(`${iss}/.well-known/openid-configuration`, iss, `${iss}/.well-known/jwks`);
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

  it.each(lists)('lets in what %j lists, and not what is %j (CLAIM_INVALID)', async (given, other) => {
    const options = github({ audience, ...given });
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token(other))).toBe('CLAIM_INVALID');
  });

  const options = github({ audience, repositories: ['octo-org/octo-repo'], environments: ['prod'] });

  it.each([
    ['for the audience that GitHub takes by default', { aud: 'https://github.com/octo-org' }, 'AUDIENCE_MISMATCH'],
    ['that names no repository', { repository: undefined }, 'CLAIM_MISSING'],
    ['of a job without an environment', { environment: undefined }, 'CLAIM_MISSING'],
    ['of several repositories', { repository: ['octo-org/octo-repo'] }, 'CLAIM_INVALID'],
    ['whose subject alone names the repository', { repository: 'evil/evil' }, 'CLAIM_INVALID'],
    ['of GitHub Enterprise', { iss: 'https://token.actions.octocorp.ghe.com' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: `${iss}/` }, 'ISSUER_UNTRUSTED'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('grants neither scopes nor roles', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it('runs the own check, on the workflow file say', async () => {
    const given = github({
      audience,
      repositories: ['octo-org/octo-repo'],
      validate: ({ claims }) => claims.actor === 'hubot',
    });
    expect(await provider.outcome(given, provider.token())).toBe('CLAIM_INVALID');
    expect(await provider.outcome(given, provider.token({ actor: 'hubot' }))).toBe('accepted');
  });

  it('takes the issuer of GitHub Enterprise', () => {
    const given = github({ audience, repositoryIds: ['1'], issuer: 'https://token.actions.octocorp.ghe.com' });
    expect(given.issuer).toBe('https://token.actions.octocorp.ghe.com');
  });

  const missing =
    "github().repositories: is missing: anyone on GitHub can get a token for your audience; list repositories (['octo-org/octo-repo']), or owners";
  it.each([
    [{}, missing],
    [{ refs: ['refs/heads/main'] }, missing],
    [{ repositories: [] }, 'github().repositories: is an empty list. Set it to a non-empty list of strings.'],
    [
      { repositories: undefined },
      'github().repositories: is undefined: set the variable that it comes from, or leave it out',
    ],
    [
      { repositories: ['octo-repo'] },
      "github().repositories[0]: must be owner and name, 'octo-org/octo-repo'; there are no patterns",
    ],
    [
      { repositories: ['octo-org/*'] },
      "github().repositories[0]: must be owner and name, 'octo-org/octo-repo'; there are no patterns",
    ],
    [{ repositoryIds: ['octo-org'] }, "github().repositoryIds[0]: must be the repository's id in digits, '74'"],
    [
      { repositoryOwners: ['octo-org/octo-repo'] },
      "github().repositoryOwners[0]: must be the owner's name alone, 'octo-org'",
    ],
    [{ repositoryOwnerIds: ['octo-org'] }, "github().repositoryOwnerIds[0]: must be the owner's id in digits, '65'"],
    [
      { repositoryIds: ['1'], refs: ['main'] },
      "github().refs[0]: must be the whole ref, 'refs/heads/main'; there are no patterns",
    ],
    [
      { repositoryIds: ['1'], environments: '' },
      'github().environments: is missing. Set it to a list of what is let in.',
    ],
    [
      { repositoryIds: ['1'], audience: '' },
      "github().audience: is missing. Set it to what workflows ask the token for, 'https://api.example.com' say.",
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => github({ audience, ...given } as never))).toEqual([problem]);
  });
});
