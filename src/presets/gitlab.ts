import { AuthError } from '../model/errors.js';
import type { IssuerOptions } from '../options/options.js';
import { checkListed, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface GitlabOptions extends ValidateOption {
  /** The audience that jobs request: `aud` of `id_tokens` in `.gitlab-ci.yml`. */
  readonly audience: string | readonly string[];
  /** Projects by path, for example `'my-group/my-project'`, in GitLab's spelling. */
  readonly projects?: readonly string[];
  /** Ids of projects, for example `'20'`. They survive renaming and moving. */
  readonly projectIds?: readonly string[];
  /** Groups or users, for example `'my-group'`, with the projects directly in them. List subgroups too: `'my-group/subgroup'`. */
  readonly namespaces?: readonly string[];
  /** Ids of groups or users, for example `'72'`. */
  readonly namespaceIds?: readonly string[];
  /** Accepts only jobs on these refs, for example `'refs/heads/main'`. Default: any. */
  readonly refs?: readonly string[];
  /** Accepts only jobs on protected branches and tags. Default false. */
  readonly protectedRefsOnly?: boolean;
  /** Accepts only jobs that deploy to these environments. Default: any or none. Also protect the environments, or set `refs`. */
  readonly environments?: readonly string[];
  /** Accepts only pipelines from these sources, for example `'push'`. Default: any. */
  readonly pipelineSources?: readonly string[];
  /** The URL of your own GitLab, for example `'https://gitlab.example.com'`. Default `'https://gitlab.com'`. */
  readonly issuer?: string;
}

// The options that list values of a claim, with the meaning and the pattern of a value.
const LISTS = [
  ['projects', 'project_path', "a project, for example 'my-group/my-project'", /^[\w.-]+(?:\/[\w.-]+)+$/],
  ['projectIds', 'project_id', "the id of a project, for example '20'", /^\d+$/],
  ['namespaces', 'namespace_path', "a group or user, for example 'my-group'", /^[\w.-]+(?:\/[\w.-]+)*$/],
  ['namespaceIds', 'namespace_id', "the id of a group or user, for example '72'", /^\d+$/],
  ['refs', 'ref_path', "a complete ref, for example 'refs/heads/main'", /^refs\/[^*]+$/],
  ['environments', 'environment', "an environment, for example 'production'", /./],
  ['pipelineSources', 'pipeline_source', "the source of a pipeline, for example 'push'", /./],
] as const;

const GITLAB_COM = 'https://gitlab.com';

/**
 * ID tokens of GitLab CI/CD jobs (`id_tokens`), with which a job calls your API without a secret. There are no scopes and roles.
 *
 * **Anyone** on the GitLab instance can get a token for any audience, so a list of projects or namespaces is required. A token must match all
 * lists: `projects` with `namespaceIds` rejects a new owner of an abandoned path. In a merge request pipeline of a fork, the claims name the
 * fork.
 *
 * ID tokens of users who sign in with GitLab have the same issuer and keys. They are rejected, because they have no `project_id`
 * (CLAIM_MISSING).
 *
 * Not checked: `sub`, whose format each project chooses, the pipeline definition (`ci_config_ref_uri`) and the user who started the job
 * (`user_login`). Check them in `validate`.
 * @see https://docs.gitlab.com/ci/secrets/id_token_authentication/
 * @throws ConfigurationError if an option is missing or invalid
 */
export function gitlab(options: GitlabOptions): IssuerOptions {
  const reader = new PresetReader('gitlab', options);
  const audience = reader.texts('audience', "the audience that jobs request, for example 'https://api.example.com'");
  const issuer = reader.has('issuer') ? reader.url('issuer', 'https://gitlab.example.com') : GITLAB_COM;
  const lists = LISTS.flatMap(([name, claim, meaning, rule]) => {
    const values = reader.optionalTexts(name, meaning, rule);
    return values === undefined ? [] : [{ claim, values }];
  });
  if (!lists.some(({ claim }) => /^(?:project|namespace)_/.test(claim)))
    reader.problem(
      'projects',
      'is missing. Anyone on this GitLab can get a token for your audience. Set it to the projects that may call, or list their namespaces.',
    );
  const isProtectedOnly = reader.flag('protectedRefsOnly');
  return reader.finishWith({
    issuer,
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['project_id', 'namespace_id'], reader.validate(), (claims) => {
      for (const { claim, values } of lists) checkListed(claims, claim, values);
      // GitLab writes it as text.
      if (isProtectedOnly && claims.ref_protected !== 'true')
        throw new AuthError('CLAIM_INVALID', { claim: 'ref_protected', expected: 'true' });
    }),
  });
}

export const gitlabProvider: Provider<GitlabOptions> = {
  name: 'gitlab',
  label: 'GitLab CI/CD',
  configure: gitlab,
  recognize: (issuer) => matchIssuer(/^https:\/\/gitlab\.com\/?$/i, issuer),
  // A self-managed GitLab has its own host, and can have a path.
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https?:\/\/[^?#]+)$/, issuer),
  exampleIssuer: GITLAB_COM,
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE', projects: 'AUTH_GITLAB_PROJECT' },
  comments: {
    audience: 'The audience that jobs request in `id_tokens`.',
    projects: 'The project whose jobs may call. Anyone can get a token for any audience from GitLab.',
  },
  usualOptions: { issuer: GITLAB_COM },
  audience: { example: 'https://api.example.com' },
  callers: { parameter: 'projects', example: 'my-group/my-project' },
  exampleClaims: ['project_path: process.env.AUTH_GITLAB_PROJECT', "project_id: '20'", "namespace_id: '72'"],
  advice: {
    AUDIENCE_MISMATCH: 'Request a token for this API in the job: id_tokens: { API_TOKEN: { aud: <audience> } }.',
    CLAIM_MISSING: 'Send a token of `id_tokens` from a CI/CD job, not the ID token of a user.',
  },
};
