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

type ListName =
  'repositories' | 'repositoryIds' | 'repositoryOwners' | 'repositoryOwnerIds' | 'refs' | 'environments' | 'events';

interface List {
  readonly claim: string;
  /** The list restricts who may call, not only when. */
  readonly isIdentity?: true;
  readonly check?: ValueCheck;
}

const LISTS: Readonly<Record<ListName, List>> = {
  repositories: {
    claim: 'repository',
    isIdentity: true,
    check: matching(/^[\w.-]+\/[\w.-]+$/, "must be 'owner/repository'; patterns are not supported"),
  },
  repositoryIds: {
    claim: 'repository_id',
    isIdentity: true,
    check: matching(/^\d+$/, "must be an id, for example '74'"),
  },
  repositoryOwners: {
    claim: 'repository_owner',
    isIdentity: true,
    check: matching(/^[\w.-]+$/, "must be the name of an owner, for example 'octo-org'"),
  },
  repositoryOwnerIds: {
    claim: 'repository_owner_id',
    isIdentity: true,
    check: matching(/^\d+$/, "must be an id, for example '65'"),
  },
  refs: {
    claim: 'ref',
    check: matching(/^refs\/[^*]+$/, "must be a whole ref, for example 'refs/heads/main'; patterns are not supported"),
  },
  environments: { claim: 'environment' },
  events: { claim: 'event_name' },
};

const GITHUB_COM = 'https://token.actions.githubusercontent.com';

/**
 * OIDC tokens of GitHub Actions, with which a workflow calls your API without a secret.
 *
 * - `iss` is `https://token.actions.githubusercontent.com`, and `aud` what the workflow requests. Claims contain the repository, ref,
 *   environment and event (https://docs.github.com/actions/reference/security/oidc,
 *   https://docs.github.com/actions/concepts/security/openid-connect).
 * - **Anyone** on GitHub can get a token for any audience, so a list of repositories or owners is required. A token must match
 *   all lists: `repositories` with `repositoryOwnerIds` rejects a new owner of an abandoned name.
 *
 * The tokens have no scopes and roles. Not checked: `sub`, whose format each repository chooses, the workflow file (`job_workflow_ref`,
 * `workflow_ref`) and the user who started it (`actor`). Check them in `validate`.
 *
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
  const lists = Object.entries(LISTS).flatMap(([name, { claim, check }]) => {
    const values = given.optionalTexts(name, 'a list of accepted values', check);
    return values === undefined ? [] : [{ claim, values }];
  });
  if (!Object.entries(LISTS).some(([name, { isIdentity }]) => isIdentity === true && given.has(name)))
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

// An enterprise can have a path of its own, or a host of ghe.com.
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
  exampleClaims: {
    repository: { variable: 'AUTH_GITHUB_REPOSITORY' },
    repository_id: '74',
    repository_owner_id: '65',
  },
  checksMoreThanAudience: true,
  issuesToAnyone: true,
  advice: { AUDIENCE_MISMATCH: "Request the token for this API in the workflow: core.getIDToken('<audience>')." },
};
