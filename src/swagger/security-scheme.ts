import { ConfigurationError } from '../errors.js';
import { isJsonObject } from '../json-object.js';
import type { SecurityScheme } from './openapi.js';
import type { SecurityOptions } from './security-options.js';

/** What is read of the options that `AuthModule` was given; it has checked them. */
export interface GivenIssuers {
  readonly issuer?: unknown;
  readonly keys?: unknown;
  readonly issuers?: unknown;
}

// What OpenAPI allows as the name of a component.
const COMPONENT_NAME = /^[A-Za-z0-9._-]+$/;

const DEFAULT_NAME = 'accessToken';

/**
 * @param present the schemes that the document has.
 * @throws ConfigurationError
 */
export function securityScheme(
  options: SecurityOptions,
  present: Readonly<Record<string, unknown>>,
  given: GivenIssuers,
): { readonly name: string; readonly scheme: SecurityScheme } {
  const name = options.scheme ?? DEFAULT_NAME;
  if (typeof (name as unknown) !== 'string' || !COMPONENT_NAME.test(name))
    throw problem('scheme', 'must be a name of letters, digits, ".", "-" and "_"');
  const own = present[name];
  const scheme = options.kind === undefined && isScheme(own) ? own : schemeOf(options, given);
  return { name, scheme };
}

/** OpenAPI 3.0 §4.8.30: scopes stand with schemes of OAuth 2.0 and OpenID Connect only; since 3.1 names may stand with any. */
export function carriesScopes({ type }: SecurityScheme, openapi: string): boolean {
  return type === 'oauth2' || type === 'openIdConnect' || !openapi.startsWith('3.0');
}

/** OpenAPI has every scope that a route names declared by its scheme. */
export function withScopes(scheme: SecurityScheme, scopes: readonly string[]): SecurityScheme {
  if (scheme.flows === undefined) return scheme;
  const named = Object.fromEntries(scopes.map((scope) => [scope, '']));
  const flows = Object.entries(scheme.flows as Record<string, { scopes?: Record<string, string> }>).map(
    ([flow, value]) => [flow, { ...value, scopes: { ...named, ...value.scopes } }],
  );
  return { ...scheme, flows: Object.fromEntries(flows) as NonNullable<SecurityScheme['flows']> };
}

function schemeOf(options: SecurityOptions, given: GivenIssuers): SecurityScheme {
  const derived = discoveryOf(given);
  switch (options.kind) {
    case undefined:
      return derived === undefined ? BEARER : { type: 'openIdConnect', openIdConnectUrl: derived };
    case 'bearer':
      return BEARER;
    case 'oauth2': {
      const { authorizationUrl, tokenUrl, scopes = {} } = options;
      for (const [name, address] of Object.entries({ authorizationUrl, tokenUrl }))
        if (!isText(address)) throw problem(name, 'must be the address of the endpoint');
      return { type: 'oauth2', flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes: { ...scopes } } } };
    }
    case 'openIdConnect': {
      const address = options.openIdConnectUrl ?? derived;
      if (!isText(address))
        throw problem(
          'openIdConnectUrl',
          "must be the address of the issuer's metadata, which cannot be told from the options of AuthModule",
        );
      return { type: 'openIdConnect', openIdConnectUrl: address };
    }
    default:
      throw problem('kind', "must be 'bearer', 'oauth2' or 'openIdConnect'");
  }
}

const BEARER: SecurityScheme = { type: 'http', scheme: 'bearer' };

/**
 * The OpenID metadata of the first issuer that gives any (OpenID Connect Discovery §4). An address of its own that the API reads them from
 * may be one of the inner network, which is nobody else's business; so it counts only at the issuer's own origin.
 */
function discoveryOf({ issuer, keys, issuers }: GivenIssuers): string | undefined {
  if (Array.isArray(issuers)) {
    const found = (issuers as unknown[]).map((one) => (isJsonObject(one) ? discoveryOf(one) : undefined));
    return found.find((address) => address !== undefined);
  }
  if (!isText(issuer) || !URL.canParse(issuer)) return undefined;
  const { from = 'discovery', uri } = isJsonObject(keys) ? keys : {};
  if (from !== 'discovery') return undefined;
  if (uri === undefined) return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  return isText(uri) && URL.canParse(uri) && new URL(uri).origin === new URL(issuer).origin ? uri : undefined;
}

function isScheme(value: unknown): value is SecurityScheme {
  return isJsonObject(value) && typeof value.type === 'string';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function problem(path: string, message: string): ConfigurationError {
  return new ConfigurationError([{ path, message }], 'The document cannot be secured');
}
