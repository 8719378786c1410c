import { isFetchableAddress, isOrigin } from '../model/address.js';
import { isJsonObject, type JsonObject, parseJson } from '../model/unknown-value.js';
import { isPem, keysOfPem } from '../keys/key-document.js';
import { KeySet } from '../keys/key-set.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import { DEFAULTS } from './defaults.js';
import { fixOfText, HTTP_RULE, isUsableText, type OptionReader } from './option-reader.js';
import { defaultsOf, number, type Option, type Values, readGroup, withDefault } from './option-table.js';
import type { RemoteKeyOptions, RequestHeaders } from './options.js';

const DAY_SECONDS = 86_400;

const REMOTE_KEY_OPTIONS = {
  refreshSeconds: number(1, DAY_SECONDS, DEFAULTS.refreshSeconds),
  maxStaleSeconds: number(0, 30 * DAY_SECONDS, DEFAULTS.maxStaleSeconds),
  unknownKidCooldownSeconds: number(1, 3_600, DEFAULTS.unknownKidCooldownSeconds),
  timeoutMs: number(1, 60_000, DEFAULTS.timeoutMs),
  maxBytes: number(1_024, 16 * 1024 * 1024, DEFAULTS.maxBytes),
  fallback: withDefault(undefined, readKeySet),
  headers: withDefault(undefined, readHeaders),
} satisfies Record<keyof RemoteKeyOptions, Option<unknown>>;

export const REMOTE_KEY_DEFAULTS = defaultsOf(REMOTE_KEY_OPTIONS);

export type ResolvedRemoteKeys = Values<typeof REMOTE_KEY_OPTIONS>;

export type ResolvedKeys = ReturnType<typeof readKeys>;

const JWKS_ORIGINS = withDefault(undefined, (reader, name) =>
  reader.items(name, 'origins', {
    nonEmpty: true,
    isItem: (item): item is string => isUsableText(item) && isOrigin(item),
    fix: (item) => fixOfText(item, 'Set it to an origin, for example "https://keys.example.com".'),
  }),
);

export function readKeys(reader: OptionReader, issuer: string, allowHttp: boolean) {
  const { keys: options = { from: 'discovery' } } = reader.record;
  const given = reader.child(options, 'keys');
  const from = given.oneOf('from', ['discovery', 'jwks', 'static']);
  switch (from) {
    case 'discovery': {
      const uri = withDefault(undefined, () => given.address('uri', 'the address of the metadata', allowHttp));
      const own = { from: { read: () => from }, uri, jwksOrigins: JWKS_ORIGINS };
      const keys = readGroup(given, { ...own, ...REMOTE_KEY_OPTIONS });
      if (keys.uri === undefined && issuer !== '') checkDiscoverable(reader, issuer, allowHttp);
      return keys;
    }
    case 'jwks': {
      const uris = { read: () => given.addresses('uri', 'the address of the key set', allowHttp) };
      const { uri, ...keys } = readGroup(given, { from: { read: () => from }, uri: uris, ...REMOTE_KEY_OPTIONS });
      checkPlaceholder(given, uri);
      return Object.freeze({ ...keys, uris: uri });
    }
    case 'static':
      given.allowOnly(['from', 'jwks', 'pem']);
      if (given.has('jwks') && given.has('pem')) given.problem('pem', 'is set beside `jwks`. Remove one of them.');
      return Object.freeze({ from, keySet: given.has('pem') ? readPem(given, 'pem') : readKeySet(given, 'jwks') });
    default:
      return { from: 'static' as const, keySet: new KeySet([]) };
  }
}

function checkPlaceholder(reader: OptionReader, uris: readonly string[]): void {
  const withPlaceholder = uris.filter((uri) => /^https?:.*\{/i.test(uri));
  if (withPlaceholder.length === 0) return;
  if (reader.has('fallback')) reader.problem('fallback', 'has no effect beside an address with {kid}. Remove it.');
  const isInPath = /^https?:\/\/[^/{}]+\/[^{}]*\{kid\}[^{}]*$/.test(uris[0] ?? '');
  if (uris.length > 1 || !isInPath)
    reader.invalid(
      'uri',
      'Write one address with {kid} in its path, for example "https://keys.example.com/{kid}".',
      withPlaceholder[0],
    );
}

/** Returns the address of a host that was written without its scheme, as in the dashboard of a provider. */
function likelyIssuer(issuer: string): string | undefined {
  const isHost = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/.test(issuer);
  return isHost && URL.canParse(`https://${issuer}`) ? new URL(`https://${issuer}`).href : undefined;
}

function checkDiscoverable(reader: OptionReader, issuer: string, allowHttp: boolean): void {
  // RFC 8414 §2: no query and no fragment, because the address of the metadata is built from the issuer.
  if (isFetchableAddress(issuer, allowHttp) && !issuer.includes('?')) return;
  const likely = likelyIssuer(issuer);
  reader.invalid(
    'issuer',
    `${likely === undefined ? '' : `Did you mean "${likely}" (with or without the slash, as \`iss\` has it)? `}Set it to an https address without credentials, query or fragment (${HTTP_RULE}). If the issuer is not such an address, or \
publishes its metadata elsewhere, set keys: { from: 'discovery', uri } or { from: 'jwks', uri }.`,
  );
}

function readKeySet(reader: OptionReader, name: string): KeySet {
  const keys = copyOfKeys(reader.record[name]);
  if (keys === undefined || keys.length === 0) {
    reader.invalid(name, 'Set it to a JSON Web Key Set with at least one key: { keys: [{ kty, … }] }.');
    return new KeySet([]);
  }
  return importKeys(reader, name, keys, (index) => `${name}.keys[${String(index)}]`);
}

function readPem(reader: OptionReader, name: string): KeySet {
  const texts = [reader.value(name)].flat();
  const keys = texts.map((text) => (isPem(text) ? keysOfPem(text) : []));
  if (keys.length > 0 && keys.every(({ length }) => length > 0))
    return importKeys(reader, name, keys.flat(), () => name);
  reader.invalid(
    name,
    'Set it to the text of a public key or certificate in PEM encoding ("-----BEGIN PUBLIC KEY----- …"), or to a list.',
  );
  return new KeySet([]);
}

function importKeys(
  reader: OptionReader,
  name: string,
  keys: readonly JsonObject[],
  pathTo: (index: number) => string,
): KeySet {
  const before = reader.problemCount;
  keys.forEach((key, index) => {
    if (hasPrivateMembers(key)) reader.problem(pathTo(index), 'has private members. Set it to a public key.');
  });
  const keySet = new KeySet(keys);
  if (reader.problemCount === before && !keySet.isUsable)
    reader.problem(name, `has no usable key: ${keySet.problems.join('; ')}. Add a key that can verify signatures.`);
  return keySet;
}

function readHeaders(reader: OptionReader, name: string): RemoteKeyOptions['headers'] {
  const headers = reader.value(name);
  if (typeof headers === 'function') return headers as RemoteKeyOptions['headers'];
  if (isJsonObject(headers) && Object.entries(headers).every((header) => isRequestHeader(...header)))
    return Object.freeze({ ...headers }) as RequestHeaders;
  const fix =
    'Set it to an object of header names and values, or to a function that returns one. Node does not send `Host`.';
  reader.invalid(name, fix);
  return undefined;
}

/** RFC 9110 §5.1 and §5.5. Node ignores `host`, so that the request would reach another virtual host than was meant. */
export function isRequestHeader(name: string, value: unknown): boolean {
  const isName = /^[\w!#$%&'*+.^`|~-]+$/.test(name) && name.toLowerCase() !== 'host';
  return isName && typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Copies the keys, so that later changes of the object have no effect. Returns undefined if it is not a JSON Web Key Set. */
function copyOfKeys(jwks: unknown): readonly JsonObject[] | undefined {
  try {
    const copy = parseJson(JSON.stringify(jwks));
    const keys: unknown = isJsonObject(copy) ? copy.keys : undefined;
    return Array.isArray(keys) && keys.every(isJsonObject) ? keys : undefined;
  } catch {
    return undefined;
  }
}
