import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import { isFetchableAddress } from '../model/address.js';
import type { IssuerOptions } from '../options/options.js';
import { type Environment, EnvironmentReader } from './environment-reader.js';
import { recognizeIssuer } from './providers.js';

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
  const issuer = reader.required(
    'AUTH_ISSUER',
    "the exact `iss` of the tokens, for example 'https://tenant.example.com/'",
  );
  const uri = readUri(reader);
  // Whether plain http is allowed is an option of the module, which checks it.
  if (issuer !== '' && uri === undefined && !isFetchableAddress(issuer, true))
    reader.problem('AUTH_ISSUER', 'must be a URL (https://…), unless AUTH_JWKS_URI is set to the address of the keys');
  const { provider } = recognizeIssuer(issuer) ?? {};
  if (provider?.issuesToAnyone === true)
    reader.problem(
      'AUTH_ISSUER',
      `issues tokens to anyone, for any audience. Use ${provider.name}(), which requires a list of callers`,
    );
  const audience = readAudience(reader);
  const algorithms = readAlgorithms(reader);
  reader.finish('The environment variables of fromEnv() are missing or invalid');
  return {
    issuer,
    audience,
    ...(algorithms !== undefined && { algorithms }),
    ...(uri !== undefined && { keys: { from: 'jwks', uri } }),
  };
}

function readUri(reader: EnvironmentReader): string | undefined {
  if (reader.isUnset('AUTH_JWKS_URI')) return undefined;
  const before = reader.problemCount;
  const uri = reader.required('AUTH_JWKS_URI');
  if (reader.problemCount === before && !isFetchableAddress(uri, true))
    reader.problem('AUTH_JWKS_URI', 'must be a URL (https://…) without credentials and fragment');
  return uri;
}

function readAudience(reader: EnvironmentReader): readonly string[] {
  const before = reader.problemCount;
  const audience = reader.list('AUTH_AUDIENCE');
  if (audience.length === 0 && reader.problemCount === before)
    reader.missing('AUTH_AUDIENCE', '`aud` of tokens for this API; separate several values with commas or spaces');
  for (const name of audience) {
    if (/^(?:undefined|null|NaN)$/.test(name))
      reader.problem('AUTH_AUDIENCE', `contains ${JSON.stringify(name)}: a variable is not set`);
  }
  return audience;
}

function readAlgorithms(reader: EnvironmentReader): readonly SignatureAlgorithm[] | undefined {
  const names = reader.list('AUTH_ALGORITHMS');
  for (const name of names) {
    if (isSignatureAlgorithm(name)) continue;
    const reason = /^(?:none|HS\d+)$/i.test(name)
      ? `cannot contain ${name}, with which anyone could forge a token`
      : `contains ${JSON.stringify(name)}, which is not a signature algorithm`;
    reader.problem('AUTH_ALGORITHMS', `${reason}. Use ${ALGORITHM_NAMES.join(', ')}`);
  }
  return names.length === 0 ? undefined : names.filter(isSignatureAlgorithm);
}
