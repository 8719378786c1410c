import { isSignatureAlgorithm } from '../keys/algorithms.js';
import { isFetchableAddress } from '../model/address.js';
import { ownMembers } from '../model/unknown-value.js';
import { fixOfUnsetValue, OptionReader } from '../options/option-reader.js';
import type { IssuerOptions } from '../options/options.js';
import { algorithmFix } from '../options/resolve-issuer.js';
import { recognizeIssuer } from './providers.js';

type Environment = Readonly<Record<string, string | undefined>>;

const ISSUER = "the exact `iss` of the tokens, for example 'https://tenant.example.com/'";
const AUDIENCE = '`aud` of tokens for this API. Separate several values with commas or spaces';

/**
 * Reads issuer options from environment variables:
 *
 * - `AUTH_ISSUER`: the exact `iss` of the tokens. Required.
 * - `AUTH_AUDIENCE`: the accepted values of `aud`, separated by commas or spaces. Required.
 * - `AUTH_ALGORITHMS`: the accepted signature algorithms, for example `RS256,ES256`. Default: all asymmetric ones.
 * - `AUTH_JWKS_URI`: the address of the key set. Default: `jwks_uri` of the issuer's metadata.
 *
 * The variables are read when this function is called, so call it in `useFactory`, after the `.env` file was loaded. An empty value counts
 * as unset. A placeholder (`<…>`) and a value in quotation marks are rejected. So are issuers from which anyone gets a token for any
 * audience (Google, GitHub Actions, GitLab, Kubernetes): their presets require a list of callers.
 * @param env the variables; default `process.env`
 * @throws ConfigurationError with all variables that are missing or invalid
 */
// eslint-disable-next-line no-restricted-properties -- read only when the application calls this function
export function fromEnv(env: Environment = process.env): IssuerOptions {
  const reader = new EnvironmentReader(env, ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_ALGORITHMS', 'AUTH_JWKS_URI']);
  const issuer = reader.requiredString('AUTH_ISSUER', ISSUER);
  const audience = reader.has('AUTH_AUDIENCE')
    ? reader.list('AUTH_AUDIENCE')
    : [reader.requiredString('AUTH_AUDIENCE', AUDIENCE)];
  const algorithms = reader.list('AUTH_ALGORITHMS');
  for (const name of algorithms)
    if (!isSignatureAlgorithm(name)) reader.invalid('AUTH_ALGORITHMS', algorithmFix(name), name);
  // Whether plain http is allowed is an option of the module, which checks it.
  const uri = reader.has('AUTH_JWKS_URI')
    ? reader.address('AUTH_JWKS_URI', 'the address of the key set', true)
    : undefined;
  if (uri === undefined && issuer !== '' && !isFetchableAddress(issuer, true))
    reader.invalid('AUTH_ISSUER', 'Set it to a URL (https://…), or set AUTH_JWKS_URI to the address of the key set.');
  const { provider } = recognizeIssuer(issuer) ?? {};
  if (provider?.callers !== undefined)
    reader.invalid(
      'AUTH_ISSUER',
      `Anyone can get a token for any audience from this issuer. Use ${provider.name}(), which requires a list of callers.`,
    );
  reader.finish('The environment variables of fromEnv() are missing or invalid');
  return {
    issuer,
    audience,
    ...(algorithms.length > 0 && { algorithms: algorithms.filter(isSignatureAlgorithm) }),
    ...(uri !== undefined && { keys: { from: 'jwks', uri } }),
  };
}

/** Names of environment variables by option. A list of names makes a list of values. */
type VariableNames = Readonly<Record<string, string | readonly string[]>>;

type ValuesOf<Names extends VariableNames> = {
  readonly [Name in keyof Names]: Names[Name] extends string ? string : readonly string[];
};

/**
 * Reads required environment variables as options of a preset:
 *
 * ```ts
 * auth0(requiredEnv({ domain: 'AUTH0_DOMAIN', audience: 'AUTH_AUDIENCE' }))
 * google(requiredEnv({ audience: 'AUTH_AUDIENCE', emails: ['CALLER_EMAIL'] }))
 * ```
 *
 * The variables are read when this function is called, and with the same checks as by {@link fromEnv}. A value is not split into a list.
 * @param env the variables; default `process.env`
 * @throws ConfigurationError with all variables that are unset or invalid, and with the ways to load a `.env` file
 */
export function requiredEnv<const Names extends VariableNames>(
  names: Names,
  // eslint-disable-next-line no-restricted-properties -- read only when the application calls this function
  env: Environment = process.env,
): ValuesOf<Names> {
  const reader = new EnvironmentReader(env, Object.values(names).flat());
  const values = Object.entries(names).map(([option, name]) => {
    const read = (item: string) => reader.requiredString(item, `the value of \`${option}\``);
    return [option, typeof name === 'string' ? read(name) : name.map(read)];
  });
  reader.finish('Environment variables are missing or invalid');
  return Object.fromEntries(values) as ValuesOf<Names>;
}

const LOAD_ENV_FILE =
  'A .env file is not loaded automatically. Use `nest start --env-file .env`, `node --env-file=.env dist/main.js` or ConfigModule';

/** Reads environment variables. A variable counts as unset if it has only white space and commas. */
class EnvironmentReader extends OptionReader {
  private hasUnset = false;

  constructor(env: Environment, names: readonly string[]) {
    const own = ownMembers(env);
    super(Object.fromEntries(names.map((name) => [name, /^[\s,]*$/.test(own[name] ?? '') ? undefined : own[name]])));
  }

  override requiredString(name: string, meaning: string): string {
    this.hasUnset ||= !this.has(name);
    return super.requiredString(name, meaning);
  }

  /** Splits the value at commas and white space. Returns an empty list if the variable is not set, and after a problem. */
  list(name: string): readonly string[] {
    if (!this.has(name)) return [];
    const text = String(this.record[name]);
    const items = text.split(/[\s,]+/).filter((item) => item !== '');
    // Quotation marks and the brackets of a placeholder enclose the whole value.
    const unset = [text, ...items].find((item) => fixOfUnsetValue(item) !== undefined);
    if (unset === undefined) return items;
    this.invalid(name, fixOfUnsetValue(unset) ?? '', unset);
    return [];
  }

  override finish(summary: string): void {
    super.finish(this.hasUnset ? `${summary}. ${LOAD_ENV_FILE}` : summary);
  }
}
