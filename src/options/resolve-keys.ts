import { isFetchableAddress, isOrigin } from '../model/address.js';
import { isJsonObject, type JsonObject } from '../model/unknown-value.js';
import { KeySet } from '../keys/key-set.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import { REMOTE_KEY_DEFAULTS } from './defaults.js';
import type { OptionReader } from './option-reader.js';
import type { RemoteKeyOptions } from './options.js';

export type ResolvedRemoteKeys = Required<Omit<RemoteKeyOptions, 'fallback'>> & {
  readonly fallback: KeySet | undefined;
};

export type ResolvedKeys =
  | ({
      readonly from: 'discovery';
      readonly uri: string | undefined;
      readonly jwksOrigins: readonly string[] | undefined;
    } & ResolvedRemoteKeys)
  | ({ readonly from: 'jwks'; readonly uri: string } & ResolvedRemoteKeys)
  | { readonly from: 'static'; readonly keySet: KeySet };

const DAY_SECONDS = 86_400;
const JWKS_DEFAULTS = { from: undefined, uri: undefined, ...REMOTE_KEY_DEFAULTS };
const HTTP_RULE = 'http is accepted for loopback only, or with insecureAllowHttp: true in a closed network';

export function readKeys(reader: OptionReader, issuer: string, allowHttp: boolean): ResolvedKeys {
  const given = reader.child(reader.record.keys, 'keys');
  const { from } = given.record;
  switch (from) {
    case 'discovery': {
      const keys = given.withDefaults({ ...JWKS_DEFAULTS, jwksOrigins: undefined });
      const uri = keys.record.uri === undefined ? undefined : readAddress(keys, 'uri', allowHttp);
      if (uri === undefined && issuer !== '') checkDiscoverable(reader, issuer, allowHttp);
      return Object.freeze({ from, uri, jwksOrigins: readOrigins(keys), ...readRemoteKeys(keys) });
    }
    case 'jwks': {
      const keys = given.withDefaults(JWKS_DEFAULTS);
      return Object.freeze({ from, uri: readAddress(keys, 'uri', allowHttp), ...readRemoteKeys(keys) });
    }
    case 'static':
      given.allowOnly(['from', 'jwks']);
      return Object.freeze({ from, keySet: readKeySet(given, 'jwks') });
    default:
      given.oneOf('from', ['discovery', 'jwks', 'static']);
      return { from: 'static', keySet: new KeySet([]) };
  }
}

function checkDiscoverable(reader: OptionReader, issuer: string, allowHttp: boolean): void {
  // RFC 8414 §2: no query and no fragment, because the address of the metadata is built from the issuer.
  if (isFetchableAddress(issuer, allowHttp) && !issuer.includes('?')) return;
  reader.invalid(
    'issuer',
    `Set it to an https address without credentials, query or fragment (${HTTP_RULE}). If the issuer is not such an address, or \
publishes its metadata elsewhere, set keys: { from: 'discovery', uri } or { from: 'jwks', uri }.`,
  );
}

function readAddress(reader: OptionReader, name: string, allowHttp: boolean): string {
  const address = reader.record[name];
  if (typeof address === 'string' && isFetchableAddress(address, allowHttp)) return address;
  reader.invalid(name, `Set it to an https address without credentials or fragment (${HTTP_RULE}).`);
  return '';
}

function readOrigins(reader: OptionReader): readonly string[] | undefined {
  const origins = reader.stringList('jwksOrigins', { nonEmpty: true });
  origins?.forEach((origin, index) => {
    const fix = 'Set it to an origin, for example "https://keys.example.com".';
    if (!isOrigin(origin)) reader.invalid(`jwksOrigins[${String(index)}]`, fix, origin);
  });
  return origins;
}

function readRemoteKeys(reader: OptionReader): ResolvedRemoteKeys {
  return {
    refreshSeconds: reader.number('refreshSeconds', 1, DAY_SECONDS),
    maxStaleSeconds: reader.number('maxStaleSeconds', 0, 30 * DAY_SECONDS),
    unknownKidCooldownSeconds: reader.number('unknownKidCooldownSeconds', 1, 3_600),
    timeoutMs: reader.number('timeoutMs', 1, 60_000),
    maxBytes: reader.number('maxBytes', 1_024, 16 * 1024 * 1024),
    fallback: reader.record.fallback === undefined ? undefined : readKeySet(reader, 'fallback'),
  };
}

function readKeySet(reader: OptionReader, name: 'jwks' | 'fallback'): KeySet {
  const keys = copyOfKeys(reader.record[name]);
  if (keys === undefined || keys.length === 0) {
    reader.invalid(name, 'Set it to a JSON Web Key Set with at least one key: { keys: [{ kty, … }] }.');
    return new KeySet([]);
  }
  const before = reader.problemCount;
  keys.forEach((key, index) => {
    if (hasPrivateMembers(key))
      reader.problem(`${name}.keys[${String(index)}]`, 'has private members. Set it to a public key.');
  });
  const keySet = new KeySet(keys);
  if (reader.problemCount === before && !keySet.isUsable)
    reader.problem(name, `has no usable key: ${keySet.problems.join('; ')}. Add a key that can verify signatures.`);
  return keySet;
}

/** Copies the keys, so that later changes of the object have no effect. Returns undefined if it is not a JSON Web Key Set. */
function copyOfKeys(jwks: unknown): readonly JsonObject[] | undefined {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(jwks));
  } catch {
    return undefined;
  }
  const keys = isJsonObject(copy) ? copy.keys : undefined;
  return Array.isArray(keys) && keys.every(isJsonObject) ? keys : undefined;
}
