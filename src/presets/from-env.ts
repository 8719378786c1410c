import { isFetchableAddress } from '../model/address.js';
import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import type { IssuerOptions } from '../options/options.js';
import { type Environment, EnvironmentReader } from './environment.js';
import { PRESETS, recognisedIssuer } from './recognised-issuers.js';

const VARIABLES = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_ALGORITHMS', 'AUTH_JWKS_URI'] as const;

/**
 * Options from environment variables:
 *
 * - `AUTH_ISSUER`: the exact `iss` of the tokens. Required.
 * - `AUTH_AUDIENCE`: what they must name in `aud`; several with commas or spaces between them. Required.
 * - `AUTH_ALGORITHMS`: the signature algorithms that are accepted, `RS256,ES256` say. Default: every asymmetric one.
 * - `AUTH_JWKS_URI`: the address of the key set. Default: it is found through the issuer's metadata.
 *
 * They are read when this is called, so after the `.env` file was loaded. One that is set but empty counts as not set. A value that
 * begins with `<` is a placeholder, and is refused; so is one in quotation marks, which `docker run --env-file` leaves in it. So are
 * issuers where anyone gets a token for any audience (Google, GitHub Actions): they have presets that ask who may call.
 *
 * @param env the variables; default `process.env`.
 * @throws ConfigurationError that says everything that is missing or wrong, each under the variable's name.
 */
// eslint-disable-next-line no-restricted-properties -- reading it is what this one function is for, and only when it is called
export function fromEnv(env: Environment = process.env): IssuerOptions {
  const reader = new EnvironmentReader(env, VARIABLES);
  const issuer = reader.required('AUTH_ISSUER', "the exact `iss` of the tokens, 'https://tenant.example.com/' say");
  const uri = readUri(reader);
  // With http, which the module takes for loopback only, or with `insecureAllowHttp`: it says so itself.
  if (issuer !== '' && uri === undefined && !isFetchableAddress(issuer, true))
    reader.problem('AUTH_ISSUER', 'must be an address, https://…; or set AUTH_JWKS_URI, where the keys are');
  const preset = recognisedIssuer(issuer)?.preset;
  if (preset !== undefined && PRESETS[preset].isOpenToAnyone === true)
    reader.problem('AUTH_ISSUER', `has tokens for anyone, for any audience: use ${preset}(), which says who may call`);
  const audience = readAudience(reader);
  const algorithms = readAlgorithms(reader);
  reader.finish('The environment variables of fromEnv() cannot be used');
  return {
    issuer,
    audience,
    ...(algorithms === undefined ? {} : { algorithms }),
    ...(uri === undefined ? {} : { keys: { from: 'jwks', uri } }),
  };
}

function readUri(reader: EnvironmentReader): string | undefined {
  if (reader.isUnset('AUTH_JWKS_URI')) return undefined;
  const before = reader.problemCount;
  const uri = reader.required('AUTH_JWKS_URI');
  if (reader.problemCount === before && !isFetchableAddress(uri, true))
    reader.problem('AUTH_JWKS_URI', 'must be an address without credentials and fragment, https://…');
  return uri;
}

function readAudience(reader: EnvironmentReader): readonly string[] {
  const before = reader.problemCount;
  const audience = reader.list('AUTH_AUDIENCE');
  if (audience.length === 0 && reader.problemCount === before) {
    reader.missing(
      'AUTH_AUDIENCE',
      'what tokens for this API name in `aud`; several with commas or spaces between them',
    );
  }
  for (const name of audience) {
    if (/^(?:undefined|null|NaN)$/.test(name))
      reader.problem('AUTH_AUDIENCE', `has ${JSON.stringify(name)} in it: a variable is not set`);
  }
  return audience;
}

function readAlgorithms(reader: EnvironmentReader): readonly SignatureAlgorithm[] | undefined {
  const names = reader.list('AUTH_ALGORITHMS');
  for (const name of names) {
    if (isSignatureAlgorithm(name)) continue;
    const reason = /^(?:none|HS\d+)$/i.test(name)
      ? `${name} is not possible: anyone could make a token`
      : `${JSON.stringify(name)} is no signature algorithm`;
    reader.problem('AUTH_ALGORITHMS', `${reason}; use ${ALGORITHM_NAMES.join(', ')}`);
  }
  return names.length === 0 ? undefined : names.filter(isSignatureAlgorithm);
}
