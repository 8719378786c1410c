import type { IssuerOptions } from '../options/options.js';
import { matching, PresetArguments, type ValueCheck } from './preset-arguments.js';
import { audienceVariable, matchIssuer, type Provider } from './provider.js';
import { checkListed, providerCheck, type ValidateOption } from './provider-check.js';

export interface GithubOptions extends ValidateOption {
  /** The audience for which the workflow requests the token: `core.getIDToken('https://api.example.com')`. */
  readonly audience: string | readonly string[];
  /** Repositories, for example `'octo-org/octo-repo'`, in GitHub's spelling. */
  readonly repositories?: readonly string[];
  /** Ids of repositories, for example `'74'`. They survive renaming, and are never reused. */
  readonly repositoryIds?: readonly string[];
  /** Organizations or users, for example `'octo-org'`, with all their repositories. */
  readonly repositoryOwners?: readonly string[];
  /** Ids of owners, for example `'65'`. */
  readonly repositoryOwnerIds?: readonly string[];
  /**
   * Accepts only runs on these refs, for example `'refs/heads/main'`. Default: any, including pull requests (`refs/pull/…`). A run of
   * `pull_request_target` has the ref of the base branch: exclude it with `events`.
   */
  readonly refs?: readonly string[];
  /** Accepts only jobs of these environments, whose protection rules then apply. Default: any or none. */
  readonly environments?: readonly string[];
  /** Accepts only runs triggered by these events, for example `'push'`. Default: any. */
  readonly events?: readonly string[];
  /** The issuer of GitHub Enterprise, for example `'https://token.actions.octocorp.ghe.com'`. Default: that of github.com. */
  readonly issuer?: string;
}

// The claim of each list, and the form of its values. A token needs a list that restricts the repository or its owner.
const REPOSITORY_LISTS: Readonly<Record<string, readonly [claim: string, check?: ValueCheck]>> = {
  repositories: [
    'repository',
    matching(/^[\w.-]+\/[\w.-]+$/, "must be 'owner/repository'; patterns are not supported"),
  ],
  repositoryIds: ['repository_id', matching(/^\d+$/, "must be an id, for example '74'")],
  repositoryOwners: ['repository_owner', matching(/^[\w.-]+$/, "must be an owner, for example 'octo-org'")],
  repositoryOwnerIds: ['repository_owner_id', matching(/^\d+$/, "must be an id, for example '65'")],
};
const LISTS: typeof REPOSITORY_LISTS = {
  ...REPOSITORY_LISTS,
  refs: ['ref', matching(/^refs\/[^*]+$/, "must be a whole ref, for example 'refs/heads/main'; not a pattern")],
  environments: ['environment'],
  events: ['event_name'],
};

const GITHUB_COM = 'https://token.actions.githubusercontent.com';

/**
 * OIDC tokens of GitHub Actions, with which a workflow calls your API without a secret.
 *
 * - `iss` is `https://token.actions.githubusercontent.com`, and `aud` what the workflow requests. There are no scopes and roles.
 * - **Anyone** on GitHub can get a token for any audience, so a list of repositories or owners is required. A token must match
 *   all lists: `repositories` with `repositoryOwnerIds` rejects a new owner of an abandoned name.
 *
 * Not checked: `sub`, whose format each repository chooses, the workflow file (`job_workflow_ref`, `workflow_ref`) and the user who started
 * it (`actor`). Check them in `validate`.
 * @see https://docs.github.com/actions/reference/security/oidc
 * @throws ConfigurationError if an option is missing or invalid
 */
export function github(options: GithubOptions): IssuerOptions {
  const given = new PresetArguments('github', options);
  const audience = given.texts(
    'audience',
    "the audience that workflows request, for example 'https://api.example.com'",
  );
  const issuer = given.optionalUrl('issuer', 'https://token.actions.octocorp.ghe.com');
  const validate = given.validate();
  const lists = Object.entries(LISTS).flatMap(([name, [claim, check]]) => {
    const values = given.optionalTexts(name, 'a list of accepted values', check);
    return values === undefined ? [] : [{ claim, values }];
  });
  if (!Object.keys(REPOSITORY_LISTS).some((name) => given.has(name)))
    given.problem(
      'repositories',
      "is missing: anyone on GitHub can get a token for your audience. List repositories (['octo-org/octo-repo']) or owners",
    );
  given.finish();
  return {
    issuer: issuer ?? GITHUB_COM,
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['repository_id', 'repository_owner_id'], validate, (claims) => {
      for (const { claim, values } of lists) checkListed(claims, claim, values);
    }),
  };
}

// An enterprise can have its own path, or a host of ghe.com.
const ISSUER = /^(?<issuer>https:\/\/token\.actions\.(?:githubusercontent\.com|[\w-]+\.ghe\.com)(?:\/[\w.-]+)*)\/?$/i;

export const githubProvider: Provider<GithubOptions> = {
  name: 'github',
  label: 'GitHub Actions',
  configure: github,
  recognize: (name) => {
    const { issuer } = matchIssuer(ISSUER, name) ?? {};
    return issuer === undefined ? undefined : { issuer: issuer.toLowerCase() === GITHUB_COM ? undefined : issuer };
  },
  // The issuer of GitHub Enterprise Server has a path.
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[^?#]+)$/, issuer),
  exampleIssuer: GITHUB_COM,
  audience: { parameter: 'audience', claim: 'aud', example: 'https://api.example.com' },
  environment: [
    { name: 'AUTH_ISSUER', parameter: 'issuer', from: 'issuer', usual: GITHUB_COM },
    audienceVariable('audience', 'The audience for which workflows request the token.'),
    {
      name: 'AUTH_GITHUB_REPOSITORY',
      parameter: 'repositories',
      comment: 'The repository whose workflows may call. Anyone can get a token for any audience from GitHub.',
      from: 'example',
      example: 'octo-org/octo-repo',
      placeholder: 'owner/repository',
      isList: true,
    },
  ],
  exampleClaims: { repository: { variable: 'AUTH_GITHUB_REPOSITORY' }, repository_id: '74', repository_owner_id: '65' },
  checksMoreThanAudience: true,
  issuesToAnyone: true,
  advice: { AUDIENCE_MISMATCH: "Request the token for this API in the workflow: core.getIDToken('<audience>')." },
};
