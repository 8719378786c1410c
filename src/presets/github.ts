import type { IssuerOptions } from '../options/options.js';
import { checkListed, PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

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

// The options that list values of a claim, with the meaning and the pattern of a value.
const LISTS = [
  ['repositories', 'repository', "a repository, for example 'octo-org/octo-repo'", /^[\w.-]+\/[\w.-]+$/],
  ['repositoryIds', 'repository_id', "the id of a repository, for example '74'", /^\d+$/],
  ['repositoryOwners', 'repository_owner', "an owner, for example 'octo-org'", /^[\w.-]+$/],
  ['repositoryOwnerIds', 'repository_owner_id', "the id of an owner, for example '65'", /^\d+$/],
  ['refs', 'ref', "a complete ref, for example 'refs/heads/main'", /^refs\/[^*]+$/],
  ['environments', 'environment', "an environment, for example 'prod'", /./],
  ['events', 'event_name', "an event, for example 'push'", /./],
] as const;

const GITHUB_COM = 'https://token.actions.githubusercontent.com';

/**
 * OIDC tokens of GitHub Actions, with which a workflow calls your API without a secret. There are no scopes and roles.
 *
 * **Anyone** on GitHub can get a token for any audience, so a list of repositories or owners is required. A token must match all lists:
 * `repositories` with `repositoryOwnerIds` rejects a new owner of an abandoned name.
 *
 * Not checked: `sub`, whose format each repository chooses, the workflow file (`job_workflow_ref`, `workflow_ref`) and the user who started
 * it (`actor`). Check them in `validate`.
 * @see https://docs.github.com/actions/reference/security/oidc
 * @throws ConfigurationError if an option is missing or invalid
 */
export function github(options: GithubOptions): IssuerOptions {
  const reader = new PresetReader('github', options);
  const requested = "the audience that workflows request, for example 'https://api.example.com'";
  const audience = reader.texts('audience', requested);
  const issuer = reader.has('issuer') ? reader.url('issuer', 'https://token.actions.octocorp.ghe.com') : GITHUB_COM;
  const lists = LISTS.flatMap(([name, claim, meaning, rule]) => {
    const values = reader.optionalTexts(name, meaning, rule);
    return values === undefined ? [] : [{ claim, values }];
  });
  if (!lists.some(({ claim }) => claim.startsWith('repository')))
    reader.problem(
      'repositories',
      'is missing. Anyone on GitHub can get a token for your audience. Set it to the repositories that may call, or list their owners.',
    );
  return reader.finishWith({
    issuer,
    audience,
    algorithms: ['RS256'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['repository_id', 'repository_owner_id'], reader.validate(), (claims) => {
      for (const { claim, values } of lists) checkListed(claims, claim, values);
    }),
  });
}

// An enterprise can have its own path, or a host of ghe.com.
const ISSUER = /^(?<issuer>https:\/\/token\.actions\.(?:githubusercontent\.com|[\w-]+\.ghe\.com)(?:\/[\w.-]+)*)\/?$/i;

export const githubProvider: Provider<GithubOptions> = {
  name: 'github',
  label: 'GitHub Actions',
  configure: github,
  recognize: (name) => {
    const parts = matchIssuer(ISSUER, name);
    return parts?.issuer?.toLowerCase() === GITHUB_COM ? {} : parts;
  },
  // The issuer of GitHub Enterprise Server has a path.
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[^?#]+)$/, issuer),
  exampleIssuer: GITHUB_COM,
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE', repositories: 'AUTH_GITHUB_REPOSITORY' },
  comments: {
    audience: 'The audience for which workflows request the token.',
    repositories: 'The repository whose workflows may call. Anyone can get a token for any audience from GitHub.',
  },
  usualOptions: { issuer: GITHUB_COM },
  audience: { example: 'https://api.example.com' },
  callers: { parameter: 'repositories', example: 'octo-org/octo-repo' },
  exampleClaims: ['repository: process.env.AUTH_GITHUB_REPOSITORY', "repository_id: '74'", "repository_owner_id: '65'"],
  advice: { AUDIENCE_MISMATCH: "Request the token for this API in the workflow: core.getIDToken('<audience>')." },
};
