import { isFetchableAddress, withoutTrailingSlashes } from '../model/address.js';
import { HTTP_RULE, type OptionReader } from './option-reader.js';
import * as option from './option-table.js';
import type { PathResourceOptions, ResourceOptions } from './options.js';

const COMMON_OPTIONS = {
  identifier: option.withDefault('', (reader, name) => reader.requiredString(name, IDENTIFIER)),
  name: text('the name of the API for people'),
  documentation: page(),
  policyUri: page(),
  tosUri: page(),
  scopes: option.withDefault([], (reader, name) => reader.names(name, 'scopes') ?? []),
  authorizationServers: option.withDefault<readonly string[] | undefined>(undefined, (reader, name) =>
    reader.stringList(name, { nonEmpty: true }),
  ),
  signedMetadata: option.callback<ResourceOptions['signedMetadata']>(undefined),
} satisfies Record<keyof ResourceOptions, option.Option<unknown>>;

const PATH_OPTIONS = {
  ...COMMON_OPTIONS,
  audience: option.withDefault<readonly string[] | undefined>(undefined, (reader, name) =>
    reader.oneOrMore(name, 'the audience of tokens for this resource'),
  ),
  exclusiveAudience: option.withDefault<boolean | undefined>(undefined, (reader, name) => reader.flag(name)),
} satisfies Record<keyof PathResourceOptions, option.Option<unknown>>;

const IDENTIFIER = 'the public address of the resource, for example "https://api.example.com"';

/** A protected resource (RFC 9728 §1.2). It is also the demand of its routes. */
export interface ResolvedResource extends option.Values<typeof PATH_OPTIONS> {
  /** The path of its routes, without a slash at the end. Empty for the resource of all other routes. */
  readonly path: string;
  /** The address of its metadata (RFC 9728 §3). */
  readonly metadataUrl: string;
}

export interface ResolvedResources {
  readonly publicUrl: string | undefined;
  /** The resource of all routes that belong to no other. */
  readonly main: ResolvedResource | undefined;
  readonly byPath: ReadonlyMap<string, ResolvedResource>;
}

export const NO_RESOURCES: ResolvedResources = Object.freeze({
  publicUrl: undefined,
  main: undefined,
  byPath: new Map(),
});

export const RESOURCE_OPTION_NAMES: readonly string[] = ['publicUrl', 'resource', 'resources'];

export function readResources(reader: OptionReader, allowHttp: boolean): ResolvedResources {
  if (!RESOURCE_OPTION_NAMES.some((name) => reader.has(name))) return NO_RESOURCES;
  const publicUrl = reader.has('publicUrl') ? reader.requiredString('publicUrl', IDENTIFIER) : undefined;
  if (publicUrl !== undefined) checkIdentifier(reader, 'publicUrl', publicUrl, allowHttp);
  const main = reader.has('resource') ? readMain(reader.optionalChild('resource'), publicUrl, allowHttp) : undefined;
  const table = reader.optionalChild('resources');
  const byPath = Object.keys(table.record).map((path) => {
    const problem = problemOfPath(path);
    if (problem !== undefined) table.problem(JSON.stringify(path), problem);
    const { identifier, ...given } = option.readGroup(table.optionalChild(path), PATH_OPTIONS);
    const own = identifier === '' ? publicUrl && identifierAt(publicUrl, path) : identifier;
    checkIdentifier(table, path, own, allowHttp);
    return [path, resourceOf({ ...given, identifier: own ?? '' }, path)] as const;
  });
  const all = [...(main === undefined ? [] : [main]), ...byPath.map(([, each]) => each)];
  // Metadata are served by their path, and routers may ignore case.
  const places = [
    all.map(({ metadataUrl }) => metadataUrl.replace(/^https?:\/\/[^/]*/, '')),
    all.map(({ path }) => path),
  ];
  if (places.some((each) => new Set(each.map((place) => place.toLowerCase())).size < each.length))
    reader.problem(
      'resources',
      'has two identifiers or paths that differ only in host or case. Give each another path.',
    );
  return Object.freeze({ publicUrl, main, byPath: new Map(byPath) });
}

function readMain(reader: OptionReader, publicUrl: string | undefined, allowHttp: boolean): ResolvedResource {
  const { identifier, ...given } = option.readGroup(reader, COMMON_OPTIONS);
  const own = identifier === '' ? publicUrl : identifier;
  checkIdentifier(reader, 'identifier', own, allowHttp);
  // The options of the issuer say which audience a token needs.
  return resourceOf({ ...given, identifier: own ?? '', audience: undefined, exclusiveAudience: undefined }, '');
}

/** Returns the resource of a path with the defaults of all options. */
export function defaultResource(publicUrl: string, path: string): ResolvedResource {
  return resourceOf({ ...option.defaultsOf(PATH_OPTIONS), identifier: identifierAt(publicUrl, path) }, path);
}

export const NOT_A_PATH = 'is not a path. Write it as in "/mcp": with a slash at the beginning, none at the end.';

export function problemOfPath(path: string): string | undefined {
  const isPath = /^(?:\/[\w.~-]+)+$/.test(path) && !/\/\.\.?(?:\/|$)/.test(path);
  return isPath ? undefined : NOT_A_PATH;
}

function identifierAt(publicUrl: string, path: string): string {
  return withoutTrailingSlashes(publicUrl) + path;
}

function resourceOf(given: option.Values<typeof PATH_OPTIONS>, path: string): ResolvedResource {
  const { identifier } = given;
  const audience = path === '' ? undefined : (given.audience ?? [identifier]);
  return Object.freeze({ ...given, audience, path, metadataUrl: metadataUrlOf(given) });
}

export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** RFC 9728 §3: inserted between the host and the path, without the slash that ends the path. */
export function metadataUrlOf({ identifier }: { readonly identifier: string }): string {
  if (!URL.canParse(identifier)) return '';
  const { origin, pathname, search } = new URL(identifier);
  return origin + METADATA_PATH + withoutTrailingSlashes(pathname) + search;
}

/** RFC 9728 §1.2: an https address without a fragment. A query or an encoded path could not be served. */
function checkIdentifier(reader: OptionReader, name: string, identifier: string | undefined, allowHttp: boolean): void {
  if (identifier === undefined || identifier === '') {
    reader.problem(name, `has no identifier. Set \`identifier\`, or \`publicUrl\`, to ${IDENTIFIER}.`);
    return;
  }
  const url = isFetchableAddress(identifier, allowHttp) ? new URL(identifier) : undefined;
  const path = url && withoutTrailingSlashes(url.pathname);
  if (url?.search === '' && (path === '' || problemOfPath(path ?? '') === undefined)) return;
  reader.invalid(name, `Set it to an https address without credentials, query or fragment (${HTTP_RULE}).`, identifier);
}

function text(meaning: string): option.Option<string | undefined> {
  return option.withDefault<string | undefined>(undefined, (reader, name) => reader.requiredString(name, meaning));
}

/** The address of a page for people. */
function page(): option.Option<string | undefined> {
  return option.withDefault<string | undefined>(undefined, (reader, name) =>
    reader.address(name, 'the address of a page', true),
  );
}
