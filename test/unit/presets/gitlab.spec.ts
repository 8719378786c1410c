import { describe, expect, it } from '@jest/globals';
import { gitlab, type GitlabOptions } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://gitlab.com';
const audience = 'https://api.example.com';
// https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload
const claims = {
  namespace_id: '72',
  namespace_path: 'my-group',
  project_id: '20',
  project_path: 'my-group/my-project',
  user_id: '1',
  user_login: 'sample-user',
  user_email: 'sample-user@example.com',
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  environment: 'production',
  environment_protected: 'true',
  deployment_tier: 'production',
  runner_id: 1,
  runner_environment: 'self-hosted',
  ci_config_ref_uri: 'gitlab.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main',
  jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
  iss,
  sub: 'project_path:my-group/my-project:ref_type:branch:ref:main',
  aud: audience,
};
const provider = new Provider(claims).publish(iss, `${iss}/oauth/discovery/keys`);

describe('gitlab', () => {
  const fork = { project_path: 'evil/my-project', project_id: '21', namespace_path: 'evil', namespace_id: '73' };
  const lists: [Partial<GitlabOptions>, Record<string, unknown>][] = [
    [{ projects: ['my-group/my-project'] }, { project_path: 'my-group/other' }],
    [{ projects: ['my-group/my-project'] }, fork],
    [{ projectIds: ['20'] }, { project_id: '21' }],
    [{ namespaces: ['my-group'] }, { namespace_path: 'evil' }],
    [{ namespaces: ['my-group'] }, { namespace_path: 'my-group/subgroup' }],
    [{ namespaceIds: ['72'] }, { namespace_id: '73' }],
    [{ projectIds: ['20'], refs: ['refs/heads/main'] }, { ref_path: 'refs/heads/feature-branch-1' }],
    [{ projectIds: ['20'], protectedRefsOnly: true }, { ref_protected: 'false' }],
    [{ projectIds: ['20'], protectedRefsOnly: true }, { ref_protected: undefined }],
    [{ projectIds: ['20'], environments: ['production'] }, { environment: 'review' }],
    [{ projectIds: ['20'], pipelineSources: ['push', 'web'] }, { pipeline_source: 'merge_request_event' }],
    [{ projects: ['my-group/my-project'], namespaceIds: ['72'] }, { namespace_id: '99' }],
    [{ projects: ['my-group/my-project'], namespaceIds: ['72'] }, { project_path: 'my-group/other' }],
  ];

  it.each(lists)('with %j rejects %j (CLAIM_INVALID)', async (given, other) => {
    const options = gitlab({ audience, ...given });
    expect(await provider.outcome(options, provider.token())).toBe('accepted');
    expect(await provider.outcome(options, provider.token(other))).toBe('CLAIM_INVALID');
  });

  const options = gitlab({ audience, projects: ['my-group/my-project'], environments: ['production'] });

  // https://docs.gitlab.com/integration/openid_connect_provider/
  const user = {
    ...Object.fromEntries(Object.keys(claims).map((name) => [name, undefined])),
    iss,
    aud: audience,
    sub: '1',
  };

  rejectsTokens(provider, options, [
    ['for another audience', { aud: 'https://vault.example.com' }, 'AUDIENCE_MISMATCH'],
    ['for the audience of the instance', { aud: iss }, 'AUDIENCE_MISMATCH'],
    ['of a user who signed in with GitLab', user, 'CLAIM_MISSING'],
    ['that is an ID token of a user', { ...user, at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
    ['without a project', { project_path: undefined }, 'CLAIM_MISSING'],
    ['without the id of the project', { project_id: undefined }, 'CLAIM_MISSING'],
    ['without the id of the namespace', { namespace_id: undefined }, 'CLAIM_MISSING'],
    ['of a job without an environment', { environment: undefined }, 'CLAIM_MISSING'],
    ['of several projects', { project_path: ['my-group/my-project'] }, 'CLAIM_INVALID'],
    ['with the project only in `sub`', { project_path: 'evil/evil' }, 'CLAIM_INVALID'],
    ['of another instance', { iss: 'https://gitlab.example.com' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('reads no scopes, roles and permissions', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it.each(['https://gitlab.example.com/', 'https://example.com/gitlab'])(
    'accepts a self-managed GitLab: %s',
    (issuer) => {
      expect(gitlab({ audience, projectIds: ['1'], issuer }).issuer).toBe(issuer.replace(/\/$/, ''));
    },
  );

  rejectsOptions(gitlab, { audience }, [
    [{}, 'projects: is missing. Anyone on this GitLab can get a token for your audience'],
    [{ refs: ['refs/heads/main'], protectedRefsOnly: true }, 'projects: is missing. Anyone on this GitLab'],
    [{ projects: [] }, 'projects: is an empty list'],
    [{ projects: ['my-project'] }, 'projects[0]: is "my-project". Set it to a project'],
    [{ projects: ['my-group/*'] }, 'projects[0]: is "my-group/*". Set it to a project'],
    [{ projectIds: ['my-project'] }, 'projectIds[0]: is "my-project". Set it to the id of a project'],
    [{ namespaces: ['my-group/*'] }, 'namespaces[0]: is "my-group/*". Set it to a group or user'],
    [{ namespaceIds: ['my-group'] }, 'namespaceIds[0]: is "my-group". Set it to the id of a group or user'],
    [{ projectIds: ['1'], refs: ['main'] }, 'refs[0]: is "main". Set it to a complete ref'],
    [{ projectIds: ['1'], environments: '' }, 'environments: is missing. Set it to an environment'],
    [{ projectIds: ['1'], protectedRefsOnly: 'true' }, 'protectedRefsOnly: is "true". Set it to true or false.'],
    [{ projectIds: ['1'], issuer: 'gitlab.example.com' }, 'issuer: is "gitlab.example.com". Set it to a URL'],
  ]);
});
