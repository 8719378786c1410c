import { KeySet } from '../../keys/key-set.js';
import { StaticKeys } from '../../keys/key-source.js';
import { isSimilarAddress } from '../../model/similar-address.js';
import type { ResolvedIssuer } from '../../options/resolve-issuer.js';
import { resolveOptions } from '../../options/resolve-options.js';
import { adviceOf } from '../../presets/provider.js';
import { isCommonAudience } from '../../presets/providers.js';
import { AccessTokenVerifier } from '../../token/access-token-verifier.js';
import { Authorities } from '../../token/authorities.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import { TrustedIssuers } from '../../token/trusted-issuers.js';
import { literal, quoted } from '../printable.js';
import type { IssuerFacts } from './check-issuer.js';
import type { CheckReport, ExplainRow } from './check-report.js';
import { issuerMismatchFix } from './issuer-spelling.js';
import type { SuggestedConfiguration } from './suggested-configuration.js';

export interface TokenCheckOptions extends Pick<IssuerFacts, 'issuer' | 'metadataIssuer' | 'jwks'> {
  readonly clock: () => number;
  readonly report: CheckReport;
}

/** Names in a token. They are verified only if the check `token.signature` passed. */
export interface TokenNames {
  readonly issuer: string | undefined;
  readonly audience: readonly string[];
}

/** Reports what `AccessTokenVerifier.explain` finds with this configuration. */
export async function checkToken(
  token: string,
  configuration: SuggestedConfiguration,
  { issuer, metadataIssuer, jwks, clock, report }: TokenCheckOptions,
): Promise<TokenNames> {
  const claims = readClaims(token);
  const iss = typeof claims?.iss === 'string' ? claims.iss : undefined;
  const options = optionsFor(iss ?? issuer, configuration.issuers);
  // The other checks do not depend on the issuer's name, but only the configured issuer may supply keys.
  const isOwn = iss === issuer || iss === metadataIssuer || (iss !== undefined && isSimilarAddress(iss, issuer));
  const keys = isOwn ? jwks : undefined;
  const keySource = new StaticKeys(new KeySet(keys ?? []));
  const issuers = new TrustedIssuers([options], { create: () => keySource, release: () => undefined });
  // Without an own `validate`, this only calls the check of the preset.
  const callsValidate = options.providerCheck !== undefined && !configuration.hasPlaceholders;
  const rows = await new AccessTokenVerifier(issuers, clock).explain(token, { callsValidate });
  for (const row of rows) addRow(row, configuration, issuer, report);
  if (keys === undefined) report.add('token.signature', 'skipped', 'the keys of the issuer are unavailable');

  if (iss !== undefined && iss !== issuer) {
    const fix =
      issuerMismatchFix(issuer, iss) ??
      (iss === metadataIssuer
        ? `Write issuer: ${literal(iss)}. \`iss\` must match exactly.`
        : 'The token is from another issuer, or forged. Request a token from the configured issuer. If the other issuer is yours, too, run doctor again with it as --issuer.');
    report.add('token.issuer', 'problem', quoted(iss), fix, `${quoted(issuer)} (--issuer)`);
  }
  if (claims !== undefined) {
    const client = [claims.client_id, claims.azp].find((name) => typeof name === 'string');
    const { scopes } = new Authorities(claims, options.claimPaths);
    const texts = [
      client === undefined ? 'no client' : `client ${quoted(client)}`,
      scopes.length === 0 ? 'no scopes' : `scopes ${scopes.join(' ')}`,
    ];
    report.add('token.authorities', 'ok', texts.join(', '));
  }
  const audience = [claims?.[options.audienceClaim]].flat().filter((name) => typeof name === 'string');
  return { issuer: iss, audience };
}

function readClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeCompact(token).claims;
  } catch {
    return undefined;
  }
}

function optionsFor(iss: string, issuers: readonly ResolvedIssuer[]): ResolvedIssuer {
  const own = issuers.find(({ issuer }) => issuer === iss) ?? issuers[0];
  if (own !== undefined) return { ...own, issuer: iss };
  // `configuration` reports the problems of the options. The token is checked against the defaults.
  const { issuers: defaults } = resolveOptions({ issuer: 'https://issuer.invalid', audience: 'unknown' });
  return { ...(defaults as readonly [ResolvedIssuer])[0], issuer: iss };
}

// Their values can be long, or personal data.
const HIDDEN_VALUES: ReadonlySet<ExplainRow['check']> = new Set(['access-token', 'claim-types', 'required-claims']);

function addRow(row: ExplainRow, configuration: SuggestedConfiguration, issuer: string, report: CheckReport): void {
  const { passed, code, claim, reason, got, hint } = row;
  const check = `token.${row.check}` as const;
  const failure = claim === undefined ? (reason ?? code ?? 'failed') : `claim ${claim}`;
  const value = HIDDEN_VALUES.has(row.check) || got === undefined ? undefined : shownValue(row, got);
  const found = value ?? (passed === true ? 'passed' : failure);
  const expected = row.expected === undefined ? undefined : shownValue(row, row.expected);
  if (check === 'token.audience' && (!configuration.hasAudience || configuration.issuers.length === 0)) {
    const fix = 'Pass --audience <the audience of tokens for this API>: the API must reject tokens for another API.';
    report.add(check, 'skipped', found, fix);
  } else if (passed === undefined) report.add(check, 'skipped', 'not checked');
  else if (passed) report.add(check, hint === undefined ? 'ok' : 'warning', found, hint);
  else {
    const common = [got].flat().filter((name) => typeof name === 'string' && isCommonAudience(name, issuer));
    const advice = code && configuration.provider && adviceOf(configuration.provider, code, { issuer });
    const fixes = [
      hint,
      check === 'token.audience' && common.length > 0
        ? `Do not configure ${quoted(common[0])}: tokens for any API have it.`
        : undefined,
      advice,
    ];
    report.add(check, 'problem', found, fixes.filter((fix) => fix !== undefined).join(' '), expected);
  }
}

/** Shows times as dates, because NumericDate is hard to read. */
function shownValue({ check }: ExplainRow, value: unknown): string {
  const text = typeof value === 'string' ? value : quoted(value);
  if (check !== 'expiration' && check !== 'not-before') return text;
  return text.replace(/\b\d{4,12}\b/g, (seconds) => `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z`);
}
