import { KeySet } from '../../keys/key-set.js';
import { hasPrivateMembers } from '../../keys/verification-key.js';
import { withoutQuery } from '../../model/address.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { FetchError } from '../../remote/http-exchange.js';
import { requireJwksUri } from '../../remote/metadata.js';
import { printable, quoted } from '../printable.js';
import { type CheckReport, counted } from './check-report.js';
import { failureFix, type Probe } from './probe.js';

export function checkJwksUri(
  value: unknown,
  location: string,
  allowHttp: boolean,
  report: CheckReport,
): string | undefined {
  const jwksUri = typeof value === 'string' ? value : undefined;
  try {
    const address = requireJwksUri(jwksUri, location, { jwksOrigins: undefined, allowHttp });
    report.add('jwks-uri', 'ok', printableAddress(address));
    return address;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    const problem = error.message.replace(/^.* has a jwks_uri that /s, '');
    const found = jwksUri === undefined ? problem : `${printableAddress(jwksUri)} ${problem}`;
    const fix =
      "Use an https URL without credentials and fragment; over http, anyone on the network path can replace the keys. Set the public address of the authorization server, or let it trust the proxy's X-Forwarded-Proto. Or configure the address yourself: --jwks-uri <url>, keys: { from: 'jwks', uri }.";
    report.add('jwks-uri', 'problem', found, fix, 'https://…');
    return undefined;
  }
}

export function checkKeySet(response: Probe, report: CheckReport): KeySet | undefined {
  const { address, body, failure } = response;
  const jwks = isJsonObject(body) && Array.isArray(body.keys) ? (body.keys as readonly unknown[]) : undefined;
  const shown = printableAddress(address);
  if (jwks === undefined) {
    const fix =
      failureFix(response) ??
      'There is no key set ({ "keys": [ … ] }, RFC 7517 §5) at this address. Correct --jwks-uri, or jwks_uri in the metadata, or let the proxy forward this path.';
    report.add('jwks', 'problem', failure ?? `${shown}: another JSON document`, fix, 'a JSON Web Key Set');
    return undefined;
  }
  report.add('jwks', 'ok', `${counted(jwks.length, 'key')} at ${shown}`);
  checkKeys(jwks, report);
  return new KeySet(jwks);
}

function checkKeys(jwks: readonly unknown[], report: CheckReport): void {
  const secret = jwks.filter(isJsonObject).filter(hasPrivateMembers);
  if (secret.length > 0) {
    const fix =
      'Revoke these keys NOW and create new ones: anyone who has read this address can sign tokens as this issuer. Then publish only the public members (kty, kid, use, alg, n and e, or crv, x and y).';
    const kids = secret.map(({ kid }) => quoted(kid)).join(', ');
    report.add('keys', 'problem', printable(`private or symmetric keys are published: ${kids}`), fix);
    return;
  }
  // RFC 7517 §4.2: a set may also contain encryption keys.
  const keySet = new KeySet(jwks.filter((jwk) => !isJsonObject(jwk) || jwk.use !== 'enc'));
  const { problems, isUsable } = keySet;
  if (problems.length > 0 || !isUsable) {
    const found = printable(problems.join('; ')) || 'no key is for signatures';
    const fix =
      'Publish signing keys: RSA of at least 2048 bits (RS256), P-256 (ES256) or Ed25519 (EdDSA), with "use": "sig", "verify" in key_ops and the alg that they sign with, or without these members. Tokens signed with other keys are rejected.';
    report.add('keys', isUsable ? 'warning' : 'problem', found, fix);
    return;
  }
  const kids = keySet.candidates(undefined).map(({ kid }) => (kid === undefined ? 'a key without kid' : quoted(kid)));
  report.add('keys', 'ok', printable(`${String(kids.length)} can verify tokens: ${kids.join(', ')}`));
}

function printableAddress(address: string): string {
  return printable(withoutQuery(address).replace(/(?<=^[a-z]+:\/\/)[^/]*@/i, '…@'));
}
