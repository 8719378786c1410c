import { hasPrivateMembers, importVerificationKey, type VerificationKey } from '../../keys/verification-key.js';
import { isFetchableAddress, withoutQuery } from '../../model/address.js';
import { isJsonObject, type JsonObject } from '../../model/json-object.js';
import { FetchError } from '../../remote/fetch-error.js';
import { requireJwksUri } from '../../remote/jwks-uri.js';
import { printable, quoted } from '../printable.js';
import type { LocatedMetadata } from './check-discovery.js';
import type { CheckReport, IssuerCheck } from './check-report.js';
import { failureFix, type Prober } from './prober.js';

/** @returns the address of `--jwks-uri`, or undefined if keys must not be fetched from there. */
export function checkGivenJwksUri(jwksUri: string, allowHttp: boolean, report: CheckReport): string | undefined {
  if (isFetchableAddress(jwksUri, allowHttp)) {
    report.add('jwks-uri', 'ok', shownAddress(jwksUri));
    return jwksUri;
  }
  const fix =
    'Write --jwks-uri with an https URL without credentials and fragment. http is allowed for loopback, or with --allow-http.';
  report.add('jwks-uri', 'problem', `${shownAddress(jwksUri)} is not allowed`, fix, 'https://…');
  return undefined;
}

/** @returns the `jwks_uri` of the metadata, or undefined if the API would not fetch keys from there. */
export function checkJwksUri(
  { metadata, location }: LocatedMetadata,
  allowHttp: boolean,
  report: CheckReport,
): string | undefined {
  const { jwks_uri: jwksUri } = metadata;
  try {
    const named = typeof jwksUri === 'string' ? jwksUri : undefined;
    const address = requireJwksUri(named, location, { jwksOrigins: undefined, allowHttp });
    report.add('jwks-uri', 'ok', shownAddress(address));
    return address;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    const found = typeof jwksUri === 'string' ? `${shownAddress(jwksUri)}: ${error.message}` : error.message;
    const fix =
      "Configure the authorization server to publish the public https address of its keys: set its hostname, or let it trust the proxy's X-Forwarded-Proto. Over http, anyone on the network path can replace the keys. Or configure the address yourself: --jwks-uri <url>, keys: { from: 'jwks', uri }.";
    report.add('jwks-uri', 'problem', found, fix, 'https://…');
    return undefined;
  }
}

/** @returns the members of the key set, or undefined if the response is not a key set. */
export async function checkKeySet(
  address: string,
  prober: Prober,
  report: CheckReport,
): Promise<readonly unknown[] | undefined> {
  const result = await prober.probe(address);
  const { body, failure } = result;
  const jwks = isJsonObject(body) && Array.isArray(body.keys) ? (body.keys as readonly unknown[]) : undefined;
  const shown = shownAddress(address);
  if (jwks === undefined) {
    const fix =
      failureFix([result]) ??
      'There is no key set ({ "keys": [ … ] }, RFC 7517 §5) at this address. Correct --jwks-uri, or jwks_uri in the metadata, or let the proxy forward this path.';
    report.add('jwks', 'problem', failure ?? `${shown}: another JSON document`, fix, 'a JSON Web Key Set');
  } else if (jwks.length === 0) {
    const fix =
      'Create a signing key (RS256, ES256 or EdDSA) for this realm or tenant in the authorization server, or correct the address.';
    report.add('jwks', 'problem', `the key set at ${shown} is empty`, fix, 'at least one key');
  } else report.add('jwks', 'ok', `${String(jwks.length)} ${jwks.length === 1 ? 'key' : 'keys'} at ${shown}`);
  checkKeys(jwks ?? [], report);
  return jwks;
}

function shownAddress(address: string): string {
  return printable(withoutQuery(address).replace(/(?<=^[a-z]+:\/\/)[^/@]*@/i, '…@'));
}

interface PublishedKey {
  readonly jwk: JsonObject;
  readonly key: VerificationKey;
  readonly isUsable: boolean;
  readonly modulusBits: number | undefined;
}

interface KeyCheck {
  readonly check: IssuerCheck;
  readonly isBad: (key: PublishedKey, all: readonly PublishedKey[]) => boolean;
  readonly found: string;
  readonly fix: string;
  /** The other keys still verify tokens. */
  readonly isWarning?: (all: readonly PublishedKey[]) => boolean;
}

const hasUsable = (all: readonly PublishedKey[]) => all.some(({ isUsable }) => isUsable);
const isPrivate = ({ jwk }: PublishedKey) => jwk.kty !== 'oct' && hasPrivateMembers(jwk);
const isSymmetric = ({ jwk }: PublishedKey) => jwk.kty === 'oct';
const isWeak = ({ modulusBits = 2048 }: PublishedKey) => modulusBits < 2048;

const KEY_CHECKS: readonly KeyCheck[] = [
  {
    check: 'keys',
    isBad: (_key, all) => !hasUsable(all),
    found: 'no key can verify a token',
    fix: 'Create an asymmetric signing key in the authorization server: RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519. The next checks say why these keys are unsuitable.',
  },
  {
    check: 'private-keys',
    isBad: isPrivate,
    found: 'private keys are published',
    fix: 'Revoke these keys NOW and create new ones: anyone who has read this address can sign tokens as this issuer. Then publish only the public members (kty, kid, use, alg, n and e, or crv, x and y).',
  },
  {
    check: 'symmetric-keys',
    isBad: isSymmetric,
    found: 'shared secrets (oct) are published',
    fix: 'Remove keys of type oct from the set and revoke them: anyone who can verify with them can also sign. Sign access tokens with RS256, ES256 or EdDSA.',
  },
  {
    check: 'key-strength',
    isBad: isWeak,
    found: 'too short',
    fix: 'Create an RSA key of at least 2048 bits (RFC 7518 §3.3), or use ES256. Tokens signed with a shorter key are rejected (KEY_UNSUITABLE).',
  },
  {
    check: 'key-use',
    // RFC 7517 §4.2: a set may also contain encryption keys.
    isBad: (key, all) =>
      ![isPrivate, isSymmetric, isWeak].some((isReported) => isReported(key)) &&
      !key.isUsable &&
      !(key.jwk.use === 'enc' && hasUsable(all)),
    isWarning: hasUsable,
    found: 'not for verification',
    fix: 'Publish a signing key with "use": "sig" (or without use), with "verify" in key_ops (or without key_ops), and with the alg that it signs with. Tokens signed with these keys are rejected (KEY_UNSUITABLE).',
  },
  {
    // RFC 7515 §4.1.4, RFC 7517 §4.5.
    check: 'key-ids',
    isBad: ({ key, isUsable }, all) =>
      isUsable && key.kid !== undefined && all.filter((other) => other.key.kid === key.kid).length > 1,
    isWarning: () => true,
    found: 'used more than once',
    fix: 'Give each key its own kid, for example its RFC 7638 thumbprint. This package tries each key of the same kid; other libraries may choose the wrong one.',
  },
  {
    check: 'key-ids',
    isBad: ({ key, isUsable }) => isUsable && key.kid === undefined,
    isWarning: (all) => all.every(({ key, isUsable }) => !isUsable || key.kid === undefined),
    found: 'without kid',
    fix: 'Give each key a kid, and name it in the header of the tokens. Otherwise a key rotation is detected late, and a token that names a kid does not match these keys.',
  },
];

/** Checks each key as the API imports it. */
function checkKeys(jwks: readonly unknown[], report: CheckReport): void {
  const keys = jwks.filter(isJsonObject).map(importKey);
  if (keys.length === 0) return;
  for (const { check, isBad, isWarning, found, fix } of KEY_CHECKS) {
    const bad = keys.filter((key) => isBad(key, keys));
    const status = isWarning?.(keys) === true ? 'warning' : 'problem';
    if (bad.length > 0) report.add(check, status, `${found}: ${bad.map(labelOf).join(', ')}`, fix);
    else if (report.get(check) === undefined) report.add(check, 'ok', 'passed');
  }
  const usable = keys.filter(({ isUsable }) => isUsable).map(labelOf);
  if (usable.length > 0) report.add('keys', 'ok', `${String(usable.length)} can verify tokens: ${usable.join(', ')}`);
}

function importKey(jwk: JsonObject): PublishedKey {
  const { kty, n } = jwk;
  const modulus = kty === 'RSA' && typeof n === 'string' ? Buffer.from(n, 'base64url').toString('hex') : undefined;
  const modulusBits = modulus === undefined ? undefined : BigInt(`0x0${modulus}`).toString(2).length;
  const key = importVerificationKey(jwk);
  return { jwk, key, isUsable: key.inputs.size > 0, modulusBits };
}

/** Only the `kid`, the type and the algorithm; never another value of a key. */
function labelOf({ jwk, key, modulusBits }: PublishedKey): string {
  const bits = modulusBits === undefined ? undefined : `${String(modulusBits)} bits`;
  const kind = [jwk.kty, jwk.crv, bits, jwk.alg].filter((part) => typeof part === 'string').join(' ');
  const name = key.kid === undefined ? 'a key without kid' : quoted(key.kid);
  return `${name} (${printable(kind)})${key.problem === undefined ? '' : ` ${key.problem}`}`;
}
