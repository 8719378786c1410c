import { isSignatureAlgorithm } from '../../keys/algorithms.js';
import type { JsonObject } from '../../model/json-object.js';
import { printable } from '../printable.js';
import { type CheckRow, ok, problem, skipped, warning } from './check-row.js';

/** What the server says it can sign with. What it does sign access tokens with no metadata say. */
export function checkAlgorithms(metadata: JsonObject): CheckRow {
  const named = metadata.id_token_signing_alg_values_supported;
  const names = Array.isArray(named) ? named.filter((name) => typeof name === 'string') : [];
  if (names.length === 0) return skipped('algorithms', 'the metadata name none');
  const fit = names.filter(isSignatureAlgorithm);
  const listed = names.map(printable).join(', ');
  if (fit.length === 0) {
    const mend =
      'Let the authorization server sign with RS256, ES256 or EdDSA: HS256 shares its secret with whoever verifies, and none has no signature. Neither is ever accepted.';
    return problem('algorithms', listed, mend, 'RS, PS, ES or EdDSA');
  }
  if (names.includes('none')) {
    const mend = `The server offers tokens without signature to its clients: switch that off there. Here they are refused whatever it says.`;
    return warning('algorithms', listed, mend);
  }
  const symmetric = names.filter((name) => /^HS\d+$/.test(name));
  return ok(
    'algorithms',
    symmetric.length === 0 ? listed : `${listed} (${symmetric.join(', ')} is never accepted here)`,
  );
}
