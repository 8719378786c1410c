import { isFetchableAddress } from '../../model/address.js';
import { isDowngrade, isSimilarAddress, slashHint } from '../../model/similar-address.js';
import { adviceOf } from '../../presets/provider.js';
import { recognizeIssuer } from '../../presets/providers.js';
import { literal, quoted } from '../printable.js';
import type { CheckReport } from './check-report.js';

const CORRECTIONS: readonly (readonly [mistake: string, pattern: RegExp, replacement: string])[] = [
  ['contains spaces', /\s+/g, ''],
  ['is in quotation marks', /^(["'`])(.*)\1$/, '$2'],
  // Up to the last `@` before a query, because a password may contain `/` or `@`.
  ['contains credentials', /^((?:[a-z][\w+.-]*:\/\/)?)[^?#]*@/i, '$1'],
  ['has a query or a fragment', /[?#].*$/, ''],
  // RFC 8414 §3 inserts the well-known part before the path, OpenID Connect Discovery §4 appends it.
  ['is the address of the metadata, not the issuer', /\/\.well-known\/[^/]*/, ''],
];

/**
 * Checks that the issuer is an https URL without other parts (RFC 8414 §2).
 * @returns the corrected issuer, or undefined if its metadata must not be fetched.
 */
export function checkIssuerSpelling(
  given: string,
  { allowHttp, jwksUri }: { readonly allowHttp: boolean; readonly jwksUri: string | undefined },
  report: CheckReport,
): string | undefined {
  const mistakes: string[] = [];
  let issuer = given;
  for (const [mistake, pattern, replacement] of CORRECTIONS) {
    const corrected = issuer.replace(pattern, replacement);
    if (corrected !== issuer) mistakes.push(mistake);
    issuer = corrected;
  }
  const name = quoted(withoutSecrets(given));
  if (!/^https?:\/\/./i.test(issuer) || !URL.canParse(issuer)) {
    const isHost = URL.canParse(`https://${issuer}`) && !/^[a-z][\w+.-]*:/i.test(issuer);
    const fix = `Write the complete URL exactly as \`iss\` has it${isHost ? `, for example --issuer https://${issuer}` : ', starting with https://'}.`;
    // RFC 7519 §4.1.1: `iss` can be any string. Only discovery needs a URL.
    report.add('issuer', jwksUri === undefined ? 'problem' : 'warning', `${name} is not a URL`, fix, 'https://…');
    return undefined;
  }
  if (!isFetchableAddress(issuer, allowHttp)) {
    const fix = `Write ${literal(issuer.replace(/^http:/i, 'https:'))} if the issuer supports https: over http, anyone on the network path can forge every token. In a closed network, use --allow-http and insecureAllowHttp: true.`;
    report.add('issuer', 'problem', [`${name} uses http`, ...mistakes].join('; '), fix, 'https');
    return undefined;
  }
  if (mistakes.length > 0)
    report.add('issuer', 'problem', `${name} ${mistakes.join('; ')}`, `Write ${literal(issuer)}.`, quoted(issuer));
  else if (isFetchableAddress(issuer, false)) report.add('issuer', 'ok', name);
  else {
    const fix = 'Use https outside of a closed network: anyone on the network path can forge every token.';
    report.add('issuer', 'warning', `${name} uses http, which --allow-http permits`, fix, 'https');
  }
  return issuer;
}

/** Hides credentials and the query of an address. */
export function withoutSecrets(address: string): string {
  return address.replace(/([?#]).*$/s, '$1…').replace(/^(\s*["'`]?(?:[a-z][\w+.-]*:\/\/)?)[^?#]*@/i, '$1…@');
}

/**
 * Returns what to do if the metadata or a token names another issuer, or undefined if that issuer is neither another spelling
 * nor known to belong to the same provider.
 */
export function issuerMismatchFix(issuer: string, named: string): string | undefined {
  if (isSimilarAddress(issuer, named)) {
    if (isDowngrade(issuer, named))
      return "Configure the issuer to name itself with https. Behind a proxy that terminates TLS, set the issuer's public address (KC_HOSTNAME in Keycloak), or let the issuer trust the proxy's X-Forwarded-Proto.";
    const slash = slashHint(issuer, named);
    return `Write issuer: ${literal(named)}${slash === undefined ? '' : `, ${slash}`}. \`iss\` must match exactly.`;
  }
  const provider = recognizeIssuer(issuer)?.provider;
  return provider && adviceOf(provider, 'ISSUER_UNTRUSTED', { issuer, named });
}
