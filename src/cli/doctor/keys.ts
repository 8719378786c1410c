import { isJsonObject, type JsonObject } from '../../model/json-object.js';
import { hasPrivateMembers, importVerificationKey, type VerificationKey } from '../../keys/verification-key.js';
import { printable, quoted } from '../printable.js';
import { type CheckRow, ok, problem, skipped, warning } from './check-row.js';

interface PublishedKey {
  readonly jwk: JsonObject;
  readonly key: VerificationKey;
  /** Never a value of it but its name, type and algorithm. */
  readonly label: string;
}

export const KEY_CHECKS = ['keys', 'private-keys', 'symmetric-keys', 'key-strength', 'key-use', 'key-ids'] as const;

/** What stands in a key set, key by key, as the package imports them. */
export function checkKeys(keys: readonly unknown[]): readonly CheckRow[] {
  const all = keys.filter(isJsonObject).map(published);
  const usable = all.filter(({ key }) => key.inputs.size > 0);
  if (all.length === 0) return KEY_CHECKS.map((check) => skipped(check, 'there are no keys'));
  return [
    usableRow(all, usable),
    privateRow(all),
    symmetricRow(all),
    strengthRow(all),
    useRow(all, usable),
    idsRow(usable),
  ];
}

function published(jwk: JsonObject): PublishedKey {
  const { kid, kty, crv, alg } = jwk;
  const bits = modulusBits(jwk);
  const kind = [kty, crv, bits === undefined ? undefined : `${String(bits)} bits`, alg].filter(
    (part) => typeof part === 'string',
  );
  const name = typeof kid === 'string' && kid !== '' ? quoted(kid) : 'a key without kid';
  return { jwk, key: importVerificationKey(jwk), label: `${name} (${printable(kind.join(' '))})` };
}

function modulusBits({ kty, n }: JsonObject): number | undefined {
  if (kty !== 'RSA' || typeof n !== 'string') return undefined;
  const hex = Buffer.from(n, 'base64url').toString('hex').replace(/^0+/, '');
  return hex === '' ? 0 : hex.length * 4 - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28;
}

const labels = (keys: readonly PublishedKey[]) => keys.map(({ label }) => label).join(', ');

function usableRow(all: readonly PublishedKey[], usable: readonly PublishedKey[]): CheckRow {
  if (usable.length > 0) return ok('keys', `${String(usable.length)} can verify tokens: ${labels(usable)}`);
  const mend =
    'Give the authorization server a signing key that others can verify: RSA with 2048 bits or more, P-256, P-384, P-521 or Ed25519; the rows below say what is wrong with these.';
  return problem(
    'keys',
    `none of ${String(all.length)} can verify a token: ${labels(all)}`,
    mend,
    'a key for RS, PS, ES or EdDSA',
  );
}

function privateRow(all: readonly PublishedKey[]): CheckRow {
  const open = all.filter(({ jwk }) => jwk.kty !== 'oct' && hasPrivateMembers(jwk));
  if (open.length === 0) return ok('private-keys', 'none is published');
  const mend =
    'Withdraw these keys NOW and make new ones: anyone who has read the address can sign tokens as this issuer. Then publish the public half only (kty, kid, use, alg, n and e, or crv, x and y).';
  return problem('private-keys', `the private half is published of ${labels(open)}`, mend, 'public members only');
}

function symmetricRow(all: readonly PublishedKey[]): CheckRow {
  const open = all.filter(({ jwk }) => jwk.kty === 'oct');
  if (open.length === 0) return ok('symmetric-keys', 'none is published');
  const mend =
    'Take keys of type oct out of the set, and withdraw them: who can verify with them can sign with them. Sign access tokens with RS256, ES256 or EdDSA.';
  return problem('symmetric-keys', `a shared secret (oct) is published: ${labels(open)}`, mend, 'asymmetric keys only');
}

function strengthRow(all: readonly PublishedKey[]): CheckRow {
  const weak = all.filter(({ jwk }) => (modulusBits(jwk) ?? 2048) < 2048);
  if (weak.length === 0) return ok('key-strength', 'no RSA key is shorter than 2048 bits');
  const mend =
    'Let the authorization server make a new RSA key of 2048 bits or more (RFC 7518 §3.3), or use ES256; tokens of a shorter one are refused (KEY_UNSUITABLE).';
  return problem('key-strength', `too short: ${labels(weak)}`, mend, '2048 bits or more');
}

function useRow(all: readonly PublishedKey[], usable: readonly PublishedKey[]): CheckRow {
  const known = ({ jwk }: PublishedKey) =>
    jwk.kty === 'oct' || hasPrivateMembers(jwk) || (modulusBits(jwk) ?? 2048) < 2048;
  const unfit = all.filter((entry) => !usable.includes(entry) && !known(entry));
  if (unfit.length === 0) return ok('key-use', 'use, key_ops and alg fit');
  const found = unfit.map(({ label, key }) => `${label} ${key.problem ?? ''}`).join('; ');
  // Servers publish keys for encryption in the same set, which is as it should be (RFC 7517 §4.2).
  if (usable.length > 0 && unfit.every(({ jwk }) => jwk.use === 'enc'))
    return ok('key-use', `for encryption: ${found}`);
  const mend =
    'A key that signs tokens is published with "use": "sig" (or none), "key_ops" with "verify" (or none), and the "alg" that it signs with; tokens of these are refused (KEY_UNSUITABLE).';
  return (usable.length > 0 ? warning : problem)('key-use', found, mend, 'use: "sig"');
}

/** RFC 7515 §4.1.4, RFC 7517 §4.5. */
function idsRow(usable: readonly PublishedKey[]): CheckRow {
  if (usable.length === 0) return skipped('key-ids', 'there is no key that can verify tokens');
  const nameless = usable.filter(({ key }) => key.kid === undefined);
  const kids = usable.flatMap(({ key }) => key.kid ?? []);
  const twice = [...new Set(kids.filter((kid, index) => kids.indexOf(kid) !== index))];
  if (twice.length > 0) {
    const mend =
      'Give each key a kid of its own (its RFC 7638 thumbprint, say): with two of one name, which of them verifies a token is chance for other libraries; here both are tried.';
    return warning('key-ids', `used more than once: ${twice.map(quoted).join(', ')}`, mend, 'one kid a key');
  }
  if (nameless.length > 0) {
    const mend =
      'Give each key a kid, and name it in the header of tokens: without, a rotation is noticed late, and a token that names a kid finds no key that has none.';
    return (kids.length > 0 ? problem : warning)(
      'key-ids',
      `without kid: ${labels(nameless)}`,
      mend,
      'a kid on each key',
    );
  }
  return ok('key-ids', 'each key has a kid of its own');
}
