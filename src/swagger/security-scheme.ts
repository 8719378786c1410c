import type { OpenAPIObject } from '@nestjs/swagger';
import { isJsonObject, type JsonObject } from '../model/unknown-value.js';
import { problemOfNames } from '../model/requirement.js';
import { OptionReader } from '../options/option-reader.js';
import type { ResolvedOptions } from '../options/resolve-options.js';

interface NamedScheme {
  /**
   * Name of the scheme in the document: letters, digits, `.`, `-` and `_`. Default: `accessToken`. With `kind`, the scheme replaces
   * the one of this name. Without `kind`, a name that is given must be the name of a scheme in the document.
   */
  readonly scheme?: string;
}

/**
 * Uses the scheme of the document that has this name, if there is one. Otherwise the options of `AuthModule` select the scheme:
 * `openIdConnect` for the first issuer that uses OpenID Connect Discovery at its own origin, or `bearer` if there is none.
 */
export interface DerivedScheme extends NamedScheme {
  readonly kind?: undefined;
}

/** `http` with `bearer`: the user of Swagger UI pastes a token. */
export interface BearerScheme extends NamedScheme {
  readonly kind: 'bearer';
}

/** Authorization code (RFC 6749 §4.1); with PKCE if {@link authorizeButton} configures Swagger UI. */
export interface OAuth2Scheme extends NamedScheme {
  readonly kind: 'oauth2';
  /** The authorization endpoint, which the browser opens: https, or http on loopback or with `insecureAllowHttp` of `AuthModule`. */
  readonly authorizationUrl: string;
  /** The token endpoint, with the same rules. For Swagger UI it must allow the UI's origin (CORS). */
  readonly tokenUrl: string;
  /** Scopes and their descriptions. Scopes that a route requires are added without a description. */
  readonly scopes?: Readonly<Record<string, string>>;
}

/** Refers to the metadata of the issuer. For Swagger UI it must allow the UI's origin (CORS). */
export interface OpenIdConnectScheme extends NamedScheme {
  readonly kind: 'openIdConnect';
  /** An address as in {@link OAuth2Scheme}. Default: that of the first issuer of `AuthModule` with OpenID Connect Discovery. */
  readonly openIdConnectUrl?: string;
}

export type SecurityOptions = DerivedScheme | BearerScheme | OAuth2Scheme | OpenIdConnectScheme;

type Document = Pick<OpenAPIObject, 'components' | 'openapi'>;
type Settings = Pick<ResolvedOptions, 'issuers' | 'insecureAllowHttp'>;
type SecuritySchemes = NonNullable<NonNullable<OpenAPIObject['components']>['securitySchemes']>;
type SecurityScheme = Exclude<SecuritySchemes[string], { $ref: string }>;

const BEARER: SecurityScheme = { type: 'http', scheme: 'bearer' };
const KIND_OF = { authorizationUrl: 'oauth2', tokenUrl: 'oauth2', scopes: 'oauth2', openIdConnectUrl: 'openIdConnect' };

// With an inferred type, the declaration would name a type that not every version of @nestjs/swagger exports.
export function securityScheme(
  options: SecurityOptions,
  { components, openapi }: Document,
  settings: Settings,
): { readonly name: string; readonly scheme: SecurityScheme; readonly carriesScopes: boolean } {
  const reader = new OptionReader(options);
  const { kind, scheme: name = 'accessToken' } = reader.record;
  reader.allowOnly(['kind', 'scheme', ...Object.keys(KIND_OF)]);
  for (const [option, owner] of Object.entries(KIND_OF))
    if (owner !== kind && reader.has(option)) reader.problem(option, `is an option of kind '${owner}' only`);
  // The names of components in OpenAPI.
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]+$/.test(name))
    reader.problem('scheme', 'must be a name of letters, digits, ".", "-" and "_"');
  const present = kind === undefined ? readPresent(reader, String(name), components?.securitySchemes) : undefined;
  const scheme = present ?? readScheme(reader, settings);
  reader.finish('The document cannot be secured');
  // OpenAPI 3.0 §4.8.30: only these schemes have scopes. Since 3.1, any scheme may list names.
  const carriesScopes = ['oauth2', 'openIdConnect'].includes(scheme.type) || !openapi.startsWith('3.0');
  return { name: String(name), scheme, carriesScopes };
}

/** Declares the scopes in each flow: OpenAPI requires that of every scope that an operation lists. */
export function withScopes(scheme: SecurityScheme, scopes: readonly string[]): SecurityScheme {
  if (scheme.flows === undefined) return scheme;
  const required = Object.fromEntries(scopes.map((scope) => [scope, '']));
  const flows = Object.entries(scheme.flows as Record<string, { scopes?: Record<string, string> }>).map(
    ([flow, value]) => [flow, { ...value, scopes: { ...required, ...value.scopes } }],
  );
  return { ...scheme, flows: Object.fromEntries(flows) as NonNullable<SecurityScheme['flows']> };
}

/** A wrong name is an error: a default scheme of that name would describe another way to send the token. */
function readPresent(reader: OptionReader, name: string, schemes: JsonObject = {}): SecurityScheme | undefined {
  const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined;
  if (isJsonObject(scheme) && typeof scheme.type === 'string') return scheme as unknown as SecurityScheme;
  if (scheme !== undefined || reader.record.scheme !== undefined) {
    const names = Object.keys(schemes).join(', ') || 'it has none';
    const fix = 'Describe it in the document, or set kind to create it';
    reader.problem('scheme', `'${name}' is not a scheme with a type in the document (${names}). ${fix}`);
  }
  return undefined;
}

function readScheme(reader: OptionReader, { issuers, insecureAllowHttp }: Settings): SecurityScheme {
  const { kind } = reader.record;
  const discovered = metadataAddress(issuers);
  const readAddress = (name: string, meaning: string) => reader.address(name, meaning, insecureAllowHttp);
  switch (kind) {
    case undefined:
      return discovered === undefined ? BEARER : { type: 'openIdConnect', openIdConnectUrl: discovered };
    case 'bearer':
      return BEARER;
    case 'oauth2': {
      const authorizationUrl = readAddress('authorizationUrl', 'the address of the authorization endpoint');
      const tokenUrl = readAddress('tokenUrl', 'the address of the token endpoint');
      return {
        type: 'oauth2',
        flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes: readScopes(reader) } },
      };
    }
    case 'openIdConnect': {
      const meaning = "the address of the issuer's metadata, which the options of AuthModule do not contain";
      const isGiven = reader.has('openIdConnectUrl') || discovered === undefined;
      return {
        type: 'openIdConnect',
        openIdConnectUrl: isGiven ? readAddress('openIdConnectUrl', meaning) : discovered,
      };
    }
    default:
      reader.problem('kind', "must be 'bearer', 'oauth2' or 'openIdConnect'");
      return BEARER;
  }
}

function readScopes(reader: OptionReader): Record<string, string> {
  const { record } = reader.optionalChild('scopes');
  for (const [scope, description] of Object.entries(record)) {
    const problem = problemOfNames('scopes', [scope]);
    if (problem !== undefined) reader.problem('scopes', problem);
    if (typeof description !== 'string') reader.problem(`scopes.${scope}`, 'must be a description, which may be empty');
  }
  return { ...record } as Record<string, string>;
}

/**
 * Returns the OpenID metadata of the first issuer that is found by discovery (OpenID Connect Discovery §4). An address at another
 * origin may belong to an internal network, so the document does not reveal it.
 */
function metadataAddress(issuers: Settings['issuers']): string | undefined {
  for (const { issuer, keys } of typeof issuers === 'function' ? [] : issuers) {
    if (keys.from !== 'discovery' || !URL.canParse(issuer)) continue;
    const address = keys.uri ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    if (new URL(address).origin === new URL(issuer).origin) return address;
  }
  return undefined;
}
