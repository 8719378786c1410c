import type { IssuerOptions } from '../options/options.js';
import { PresetArguments } from './preset-arguments.js';
import { checkListed, type OwnCheck, withOwnCheck } from './preset-checks.js';
import { matchIssuer, type Provider } from './provider.js';

export interface GithubOptions extends OwnCheck {
  /** What the workflow asks the token for: `core.getIDToken('https://api.example.com')`. */
  readonly audience: string | readonly string[];
  /** `'octo-org/octo-repo'`, as GitHub spells it. */
  readonly repositories?: readonly string[];
  /** Ids of repositories, `'74'`: they stay when a repository is renamed, and nobody else gets them. */
  readonly repositoryIds?: readonly string[];
  /** `'octo-org'`: all repositories of an organization or a user. */
  readonly repositoryOwners?: readonly string[];
  /** Ids of owners, `'65'`. */
  readonly repositoryOwnerIds?: readonly string[];
  /**
   * Only runs on these refs: `'refs/heads/main'`. Default: any, pull requests (`refs/pull/…`) among them. A run of
   * `pull_request_target` names the ref of the base: keep it out by `events`.
   */
  readonly refs?: readonly string[];
  /** Only jobs of these environments, whose protection rules then hold. Default: any, and none. */
  readonly environments?: readonly string[];
  /** Only runs by these events: `'push'`. Default: any. */
  readonly events?: readonly string[];
  /** The issuer of GitHub Enterprise: `'https://token.actions.octocorp.ghe.com'`. Default that of github.com. */
  readonly issuer?: string;
}

const WHO = {
  repositories: 'repository',
  repositoryIds: 'repository_id',
  repositoryOwners: 'repository_owner',
  repositoryOwnerIds: 'repository_owner_id',
} as const;
const WHEN = { refs: 'ref', environments: 'environment', events: 'event_name' } as const;
const CLAIMS = { ...WHO, ...WHEN } as const;

/**
 * OIDC tokens of GitHub Actions: a workflow calls your API without a secret.
 *
 * - `iss` is `https://token.actions.githubusercontent.com`; `aud` is whatever the workflow asked for; the claims say which repository,
 *   ref, environment and event it is (https://docs.github.com/actions/reference/security/oidc,
 *   https://docs.github.com/actions/concepts/security/openid-connect).
 * - **Anyone** on GitHub can get a token for any audience. So a list of repositories or of owners is required. All lists that are
 *   given must hold at once: `repositories` with `repositoryOwnerIds` keeps out who takes over a name that was given up.
 *
 * There are no scopes and no roles in them. Not checked: `sub`, whose form repositories choose; which workflow file runs
 * (`job_workflow_ref`, `workflow_ref`) and who started it (`actor`): write that into `validate`.
 *
 * @throws ConfigurationError for arguments that cannot be used.
 */
export function github(options: GithubOptions): IssuerOptions {
  const lists = Object.keys(CLAIMS) as (keyof typeof CLAIMS)[];
  const given = new PresetArguments('github', options, ['audience', 'issuer', 'validate', ...lists]);
  const audience = given.texts('audience', "what workflows ask the token for, 'https://api.example.com' say");
  const issuer = given.optionalAddress('issuer', 'https://token.actions.octocorp.ghe.com');
  const validate = given.optionalFunction('validate') as GithubOptions['validate'];
  const wanted = lists.flatMap((name) => {
    const list = given.optionalTexts(name, 'a list of what is let in');
    return list === undefined ? [] : [{ name, claim: CLAIMS[name], list }];
  });
  if (!Object.keys(WHO).some((name) => given.isGiven(name))) {
    given.problem(
      'repositories',
      "is missing: anyone on GitHub can get a token for your audience; list repositories (['octo-org/octo-repo']), or owners",
    );
  }
  for (const { name, list } of wanted) checkForm(given, name, list);
  given.finish();
  return {
    issuer: issuer ?? 'https://token.actions.githubusercontent.com',
    audience,
    algorithms: ['RS256'],
    requiredClaims: ['repository_id', 'repository_owner_id'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...withOwnCheck(
      (claims) => {
        for (const { claim, list } of wanted) checkListed(claims, claim, list);
      },
      validate,
      ['repository_id', 'repository_owner_id'],
    ),
  };
}

const FORMS: Readonly<Partial<Record<keyof typeof CLAIMS, readonly [form: RegExp, meaning: string]>>> = {
  repositories: [/^[\w.-]+\/[\w.-]+$/, "must be owner and name, 'octo-org/octo-repo'; there are no patterns"],
  repositoryIds: [/^\d+$/, "must be the repository's id in digits, '74'"],
  repositoryOwners: [/^[\w.-]+$/, "must be the owner's name alone, 'octo-org'"],
  repositoryOwnerIds: [/^\d+$/, "must be the owner's id in digits, '65'"],
  refs: [/^refs\/[^*]+$/, "must be the whole ref, 'refs/heads/main'; there are no patterns"],
};

function checkForm(given: PresetArguments, name: keyof typeof CLAIMS, list: readonly string[]): void {
  const [form, meaning] = FORMS[name] ?? [/./, ''];
  list.forEach((item, index) => {
    if (!form.test(item)) given.problem(`${name}[${String(index)}]`, meaning);
  });
}

const GITHUB_COM = 'https://token.actions.githubusercontent.com';

export const githubProvider: Provider<GithubOptions> = {
  name: 'github',
  label: 'GitHub Actions',
  configure: github,
  recognize: (name) => {
    // An enterprise can have a path of its own, or a host of ghe.com.
    const { issuer } =
      matchIssuer(
        /^(?<issuer>https:\/\/token\.actions\.(?:githubusercontent\.com|[\w-]+\.ghe\.com)(?:\/[\w.-]+)*)\/?$/i,
        name,
      ) ?? {};
    return issuer === undefined ? undefined : { issuer: issuer.toLowerCase() === GITHUB_COM ? undefined : issuer };
  },
  // GitHub Enterprise Server has a path.
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[^?#]+)$/, issuer),
  exampleIssuer: GITHUB_COM,
  audience: { parameter: 'audience', claim: 'aud', example: 'https://api.example.com' },
  environment: [
    { name: 'AUTH_ISSUER', parameter: 'issuer', from: 'issuer', usual: GITHUB_COM },
    {
      name: 'AUTH_AUDIENCE',
      parameter: 'audience',
      from: 'audience',
      comment: 'The audience for which workflows request the token.',
    },
    {
      name: 'AUTH_GITHUB_REPOSITORY',
      parameter: 'repositories',
      from: 'example',
      comment: 'The repository whose workflows may call. Anyone can get a token for any audience from GitHub.',
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
  advice: {
    AUDIENCE_MISMATCH: "Request the token for this API in the workflow: core.getIDToken('<audience>').",
  },
};
