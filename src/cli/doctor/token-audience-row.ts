import { literal, quoted } from '../printable.js';
import { type CheckRow, ok, problem, skipped } from './check-row.js';
import { slashOf } from './other-spellings.js';
import type { Facts, Verdict } from './token-facts.js';

/** RFC 7519 §4.1.3, or the claim in which this provider names whom a token is for. */
export function audienceRow({ decoded, audience, issuer }: Facts, { passed, code }: Verdict): CheckRow {
  const { audienceClaim: claim } = issuer;
  const value = decoded.claims[claim];
  const has = Array.isArray(value) ? value.map(quoted).join(', ') : quoted(value);
  const expected = audience?.map(quoted).join(' or ') ?? claim;
  if (value === undefined) {
    const mend = `Have the issuer name this API in ${claim} (an audience mapper in Keycloak, an API identifier in Auth0, resource=… by RFC 8707); where it names the client only: audienceClaim: 'client_id'.`;
    return problem('token.audience', `the token has no ${claim}`, mend, expected);
  }
  if (code === 'CLAIM_INVALID') {
    const mend = `Have the issuer send ${claim} as a string or a list of strings.`;
    return problem('token.audience', `${claim} is no text`, mend, expected);
  }
  if (audience === undefined) {
    const mend = `If that is this API, give it as --audience: a token for another API must not be accepted.`;
    return skipped('token.audience', `the token names ${has}`, mend);
  }
  if (passed === true) return ok('token.audience', has);
  const [one] = Array.isArray(value) ? (value as unknown[]) : [value];
  const near = audience.map((name) => slashOf(name, String(one))).find((slash) => slash !== undefined);
  const mend = `If the token is for this API, write audience: ${literal(String(one))}${near === undefined ? '' : `, ${near}`}; else ask the issuer for one for ${expected} (audience=… or resource=… in the token request; in Keycloak an audience mapper).`;
  return problem('token.audience', has, mend, expected);
}
