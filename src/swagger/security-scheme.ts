import { isJsonObject } from '../model/json-object.js';
import { OptionReader } from '../options/option-reader.js';
import { problemOfNames } from '../model/requirement.js';
import { readBrowserAddress } from './browser-address.js';
import type { SecurityScheme } from './openapi.js';
import type { SecurityOptions } from './security-options.js';

/** What is read of the options that `AuthModule` was given; it has checked them. */
export interface GivenIssuers {
  readonly issuer?: unknown;
  readonly keys?: unknown;
  readonly issuers?: unknown;
  readonly insecureAllowHttp?: unknown;
}

// What OpenAPI allows as the name of a component.
const COMPONENT_NAME = /^[A-Za-z0-9._-]+$/;

const DEFAULT_NAME = 'accessToken';

const OPTIONS_OF = {
  bearer: [],
  oauth2: ['authorizationUrl', 'tokenUrl', 'scopes'],
  openIdConnect: ['openIdConnectUrl'],
} as const satisfies Record<NonNullable<SecurityOptions['kind']>, readonly string[]>;

const COMMON_OPTIONS = ['kind', 'scheme'];

/**
 * @param present the schemes that the document has.
 * @throws ConfigurationError with every problem of the options.
 */
export function securityScheme(
  options: SecurityOptions,
  present: Readonly<Record<string, unknown>>,
  given: GivenIssuers,
): { readonly name: string; readonly scheme: SecurityScheme } {
  const reader = new OptionReader(options);
  checkOptionNames(reader);
  const name = readName(reader);
  const own = reader.record.kind === undefined ? readOwn(reader, name, present) : undefined;
  const scheme = own ?? readScheme(reader, given);
  reader.finish('The document cannot be secured');
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

function checkOptionNames(reader: OptionReader): void {
  reader.allowOnly([...COMMON_OPTIONS, ...Object.values(OPTIONS_OF).flat()]);
  const { kind } = reader.record;
  if (kind !== undefined && !isKind(kind)) return;
  for (const [owner, names] of Object.entries(OPTIONS_OF)) {
    for (const name of owner === kind ? [] : names)
      if (reader.record[name] !== undefined) reader.problem(name, `is an option of kind '${owner}' only`);
  }
}

function readName(reader: OptionReader): string {
  const { scheme = DEFAULT_NAME } = reader.record;
  if (typeof scheme === 'string' && COMPONENT_NAME.test(scheme)) return scheme;
  reader.problem('scheme', 'must be a name of letters, digits, ".", "-" and "_"');
  return DEFAULT_NAME;
}

/** A name that leads nowhere would, if a scheme were made for it, describe another way to send the token than is meant. */
function readOwn(
  reader: OptionReader,
  name: string,
  present: Readonly<Record<string, unknown>>,
): SecurityScheme | undefined {
  if (Object.hasOwn(present, name)) {
    const own = present[name];
    if (isScheme(own)) return own;
    reader.problem('scheme', `'${name}' of the document has no type; describe it there, or have one made by its kind`);
  } else if (reader.record.scheme === name) {
    const others = Object.keys(present).join(', ');
    reader.problem(
      'scheme',
      `there is no '${name}' among the schemes of the document (${others || 'it has none'}); describe it there, or have one made by its kind`,
    );
  }
  return undefined;
}

function readScheme(reader: OptionReader, given: GivenIssuers): SecurityScheme {
  const derived = discoveryOf(given);
  const allowHttp = given.insecureAllowHttp === true;
  switch (reader.record.kind) {
    case undefined:
      return derived === undefined ? BEARER : { type: 'openIdConnect', openIdConnectUrl: derived };
    case 'bearer':
      return BEARER;
    case 'oauth2': {
      const authorizationUrl = readBrowserAddress(
        reader,
        'authorizationUrl',
        'the address of the authorization endpoint',
        allowHttp,
      );
      const tokenUrl = readBrowserAddress(reader, 'tokenUrl', 'the address of the token endpoint', allowHttp);
      return {
        type: 'oauth2',
        flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes: readScopes(reader) } },
      };
    }
    case 'openIdConnect': {
      // What AuthModule was given, that has checked.
      if (reader.record.openIdConnectUrl === undefined && derived !== undefined)
        return { type: 'openIdConnect', openIdConnectUrl: derived };
      const meaning = "the address of the issuer's metadata, which cannot be told from the options of AuthModule";
      const openIdConnectUrl = readBrowserAddress(reader, 'openIdConnectUrl', meaning, allowHttp);
      return { type: 'openIdConnect', openIdConnectUrl };
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
    if (typeof description !== 'string') reader.problem(`scopes.${scope}`, 'must be its description; it may be empty');
  }
  return { ...record } as Record<string, string>;
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

function isKind(value: unknown): value is keyof typeof OPTIONS_OF {
  return typeof value === 'string' && Object.hasOwn(OPTIONS_OF, value);
}
