import { isFetchableAddress, isOrigin } from '../model/address.js';
import { isJsonObject, type JsonObject } from '../model/json-object.js';
import { KeySet } from '../keys/key-set.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import type { OptionReader } from './option-reader.js';

export interface ResolvedRemoteKeys {
  readonly refreshSeconds: number;
  readonly maxStaleSeconds: number;
  readonly unknownKidCooldownSeconds: number;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly fallback: KeySet | undefined;
}

export type ResolvedKeys =
  | ({
      readonly from: 'discovery';
      readonly uri: string | undefined;
      readonly jwksOrigins: readonly string[] | undefined;
    } & ResolvedRemoteKeys)
  | ({ readonly from: 'jwks'; readonly uri: string } & ResolvedRemoteKeys)
  | { readonly from: 'static'; readonly keySet: KeySet };

export const REMOTE_KEY_OPTIONS = [
  'refreshSeconds',
  'maxStaleSeconds',
  'unknownKidCooldownSeconds',
  'timeoutMs',
  'maxBytes',
  'fallback',
];

const DAY_SECONDS = 86_400;

export function readKeys(reader: OptionReader, issuer: string, allowHttp: boolean): ResolvedKeys {
  const keys = reader.optionalChild('keys', { from: 'discovery' });
  const { from } = keys.record;
  switch (from) {
    case 'discovery': {
      keys.allowOnly(['from', 'uri', 'jwksOrigins', ...REMOTE_KEY_OPTIONS]);
      const uri = keys.record.uri === undefined ? undefined : readAddress(keys, 'uri', allowHttp);
      if (uri === undefined && issuer !== '') checkDiscoverable(reader, issuer, allowHttp);
      return Object.freeze({ from, uri, jwksOrigins: readOrigins(keys), ...readRemoteKeys(keys) });
    }
    case 'jwks':
      keys.allowOnly(['from', 'uri', ...REMOTE_KEY_OPTIONS]);
      return Object.freeze({ from, uri: readAddress(keys, 'uri', allowHttp), ...readRemoteKeys(keys) });
    case 'static':
      keys.allowOnly(['from', 'jwks']);
      return Object.freeze({ from, keySet: readJwks(keys, 'jwks') });
    default:
      keys.problem('from', "must be 'discovery', 'jwks' or 'static'");
      return { from: 'static', keySet: new KeySet([]) };
  }
}

function checkDiscoverable(reader: OptionReader, issuer: string, allowHttp: boolean): void {
  // RFC 8414 §2: no query and no fragment, since the metadata's location is built from it.
  if (isFetchableAddress(issuer, allowHttp) && !issuer.includes('?')) return;
  reader.problem(
    'issuer',
    `must be an https address without credentials, query or fragment (http for loopback only; in a closed network with insecureAllowHttp: true); \
for an issuer whose name is no address, or whose metadata lives elsewhere, set keys: { from: 'discovery', uri } or { from: 'jwks', uri }`,
  );
}

function readAddress(reader: OptionReader, name: string, allowHttp: boolean): string {
  const address = reader.record[name];
  if (typeof address !== 'string' || address === '') {
    reader.problem(name, 'must be an address, https://…');
    return '';
  }
  if (!isFetchableAddress(address, allowHttp)) {
    reader.problem(
      name,
      'must be an https address without credentials or fragment (http for loopback only; in a closed network with insecureAllowHttp: true)',
    );
  }
  return address;
}

function readOrigins(reader: OptionReader): readonly string[] | undefined {
  const origins = reader.stringList('jwksOrigins', { nonEmpty: true });
  origins?.forEach((origin, index) => {
    if (!isOrigin(origin))
      reader.problem(`jwksOrigins[${String(index)}]`, "must be an origin, 'https://keys.example.com'");
  });
  return origins;
}

function readRemoteKeys(reader: OptionReader): ResolvedRemoteKeys {
  return {
    refreshSeconds: reader.number('refreshSeconds', { min: 1, max: DAY_SECONDS, fallback: 600 }),
    maxStaleSeconds: reader.number('maxStaleSeconds', { min: 0, max: 30 * DAY_SECONDS, fallback: DAY_SECONDS }),
    unknownKidCooldownSeconds: reader.number('unknownKidCooldownSeconds', { min: 1, max: 3_600, fallback: 30 }),
    timeoutMs: reader.number('timeoutMs', { min: 1, max: 60_000, fallback: 5_000 }),
    maxBytes: reader.number('maxBytes', { min: 1_024, max: 16 * 1024 * 1024, fallback: 512 * 1024 }),
    fallback: reader.record.fallback === undefined ? undefined : readJwks(reader, 'fallback'),
  };
}

function readJwks(reader: OptionReader, name: 'jwks' | 'fallback'): KeySet {
  const keys = keysOf(reader.record[name]);
  if (keys === undefined || keys.length === 0) {
    reader.problem(name, 'must be a JSON Web Key Set: { keys: [{ kty, … }] } with at least one key');
    return new KeySet([]);
  }
  const before = reader.problemCount;
  keys.forEach((key, index) => {
    if (hasPrivateMembers(key)) {
      reader.problem(`${name}.keys[${String(index)}]`, 'must be a public key; leave out its private members');
    }
  });
  const keySet = new KeySet(keys);
  if (reader.problemCount === before && !keySet.isUsable) {
    reader.problem(name, `holds no usable key: ${keySet.problems.join('; ')}`);
  }
  return keySet;
}

/** A copy: what the caller does to the object later has no effect. Undefined for what is no JSON Web Key Set. */
function keysOf(jwks: unknown): readonly JsonObject[] | undefined {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(jwks));
  } catch {
    return undefined;
  }
  const keys = isJsonObject(copy) ? copy.keys : undefined;
  return Array.isArray(keys) && keys.every(isJsonObject) ? keys : undefined;
}
