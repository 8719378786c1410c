import { findSimilarAddress, isSimilarAddress } from '../../model/similar-address.js';
import { PROVIDERS } from '../../presets/providers.js';
import { quoted } from '../printable.js';
import type { DoctorRequest } from './check-issuer.js';
import type { CheckName, CheckReport } from './check-report.js';
import type { TokenNames } from './check-token.js';
import { suggestConfiguration } from './suggested-configuration.js';

const ISSUER_NAME: readonly CheckName[] = ['issuer', 'discovery', 'metadata-issuer'];
const REQUIRED: readonly CheckName[] = ['reachable', 'jwks-uri', 'jwks'];

/**
 * Checks whether an application would start with the given values.
 * @param request with the issuer's own name, if known.
 * @returns the configuration to use, or undefined if it would repeat a mistake.
 */
export function checkConfiguration(
  { issuer, ...request }: Omit<DoctorRequest, 'issuer'> & { readonly issuer: string | undefined },
  token: TokenNames | undefined,
  report: CheckReport,
): string | undefined {
  const { audience = [] } = request;
  const similar = audience.some((name) => token?.audience.includes(name))
    ? undefined
    : findSimilarAddress(audience, token?.audience ?? []);
  // Anyone can write a token, so its spelling is used only after its signature was verified.
  const isVerified = report.get('token.signature')?.status === 'ok';
  const blockers = [
    ...report.select(issuer === undefined ? ISSUER_NAME : [], 'problem', 'warning'),
    ...report.select(REQUIRED, 'problem'),
    ...(isMisnamed(issuer, token?.issuer) ? ['token.issuer'] : []),
    ...(similar !== undefined && !isVerified ? ['token.audience'] : []),
  ];
  if (issuer === undefined || blockers.length > 0) {
    const list = new Intl.ListFormat('en').format(blockers);
    report.add('configuration', 'skipped', 'not known yet', `Fix ${list} and run doctor again for the configuration.`);
    return undefined;
  }
  const corrected = request.audience?.map((name) => (name === similar?.configured ? similar.named : name));
  const configuration = suggestConfiguration({ ...request, issuer, audience: corrected });
  const { text, problems, provider, hasPlaceholders } = configuration;
  const by = provider === undefined ? 'AuthModule' : `${provider.name}()`;
  const padded = audience.find((name) => name !== name.trim());
  const list = audience.find((name) => name.includes(','));
  if (problems.length > 0) {
    const fix = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
    report.add('configuration', 'problem', `${by} rejects ${problems.map(({ path }) => path).join(', ')}`, `${fix}.`);
    return undefined;
  }
  if (padded !== undefined) {
    const fix = `Write ${quoted(padded.trim())}. The audience must match exactly.`;
    report.add('configuration', 'problem', `--audience ${quoted(padded)} starts or ends with white space`, fix);
  } else if (list !== undefined) {
    const options = list.split(',').map((name) => `--audience ${name.trim()}`);
    const fix = `For several audiences, repeat the option: ${options.join(' ')}.`;
    report.add('configuration', 'warning', `--audience ${quoted(list)} is one audience`, fix);
  } else {
    const condition = hasPlaceholders ? ' after you replace the values in <…>' : '';
    report.add('configuration', 'ok', `${by} accepts it${condition}`);
  }
  return text;
}

/** Whether a token shows that tokens of this issuer have another name. */
function isMisnamed(issuer = '', iss = issuer): boolean {
  if (isSimilarAddress(issuer, iss)) return true;
  return PROVIDERS.some((provider) => provider.isInternalAddressOf?.(issuer, iss) === true);
}
