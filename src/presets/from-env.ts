import { isSignatureAlgorithm } from '../keys/algorithms.js';
import { isFetchableAddress } from '../model/address.js';
import type { IssuerOptions } from '../options/options.js';
import { algorithmFix } from '../options/resolve-issuer.js';
import { recognizeIssuer } from './providers.js';
import { type Environment, EnvironmentReader } from './required-env.js';

const ISSUER = "the exact `iss` of the tokens, for example 'https://tenant.example.com/'";
const AUDIENCE = '`aud` of tokens for this API. Separate several values with commas or spaces';
const KEYS = 'the address of the key set (https://…) without credentials and fragment';

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
 * audience (Google, GitHub Actions): their presets require a list of callers.
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
  const uri = reader.has('AUTH_JWKS_URI') ? reader.requiredString('AUTH_JWKS_URI', KEYS) : undefined;
  // Whether plain http is allowed is an option of the module, which checks it.
  const isAddress = (text: string) => text === '' || isFetchableAddress(text, true);
  if (uri !== undefined && !isAddress(uri)) reader.invalid('AUTH_JWKS_URI', `Set it to ${KEYS}.`);
  if (uri === undefined && !isAddress(issuer))
    reader.invalid('AUTH_ISSUER', 'Set it to a URL (https://…), or set AUTH_JWKS_URI to the address of the key set.');
  const { provider } = recognizeIssuer(issuer) ?? {};
  if (provider?.issuesToAnyone === true)
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
