import { isFetchableAddress } from '../../model/address.js';
import { printable, quoted } from '../printable.js';
import { type CheckName, type CheckRow, type CheckStatus, ok, problem, skipped, warning } from './check-row.js';
import { type Configuration, configurationOf } from './configuration.js';
import type { DoctorRequest } from './doctor-request.js';
import { withoutCredentials } from './issuer-spelling.js';
import { sameRealmElsewhere } from './keycloak-realm.js';
import { nearAudience } from './near-audience.js';
import { isSameButForSpelling } from './other-spellings.js';
import type { TokenNames } from './token-names.js';

/** The row `configuration`, and what to paste; undefined where it would only repeat what has to be mended. */
export interface Pasted {
  readonly row: CheckRow;
  readonly text: string | undefined;
}

export interface PastedFacts extends Pick<
  DoctorRequest,
  'audience' | 'jwksUri' | 'allowHttp' | 'clockToleranceSeconds'
> {
  /** As tokens name it, mended; undefined where that is not known. */
  readonly issuer: string | undefined;
  /** Of the issuer and of the token: what was found before. */
  readonly rows: readonly CheckRow[];
  /** Whom the token that was given names. */
  readonly token: TokenNames | undefined;
}

const LIST = new Intl.ListFormat('en');
const DEFAULT_TOLERANCE_SECONDS = 5;
const MUST_BE_GOOD: readonly CheckName[] = ['reachable', 'jwks-uri', 'jwks'];
const NAMES_ISSUER: readonly CheckName[] = ['issuer', 'discovery', 'metadata-issuer'];

export function pasted(facts: PastedFacts): Pasted {
  const blocking = blockingOf(facts);
  if (facts.issuer === undefined || blocking.length > 0) {
    const mend = `Once ${LIST.format(blocking)} ${blocking.length > 1 ? 'are' : 'is'} mended, run this again for the configuration.`;
    return { row: skipped('configuration', 'not known yet', mend), text: undefined };
  }
  const { jwksUri, clockToleranceSeconds, allowHttp, issuer } = facts;
  const configuration = configurationOf({
    issuer,
    audience: mendedAudience(facts),
    keys: jwksUri === undefined ? undefined : { from: 'jwks', uri: jwksUri },
    clockToleranceSeconds: clockToleranceSeconds === DEFAULT_TOLERANCE_SECONDS ? undefined : clockToleranceSeconds,
    allowHttp: allowHttp && [issuer, jwksUri].some(needsHttp),
  });
  return { row: rowOf(configuration, facts.audience ?? []), text: configuration.text };
}

/** What must be mended before anything that is written down is more than a guess. */
function blockingOf({ issuer, rows, token }: PastedFacts): readonly CheckName[] {
  const are = (status: CheckStatus, checks: readonly CheckName[]) =>
    rows.filter((row) => row.status === status && checks.includes(row.check)).map(({ check }) => check);
  // Credentials are not to be pasted anywhere.
  if (issuer === undefined || withoutCredentials(issuer) !== issuer) {
    const named = are('problem', [...NAMES_ISSUER, ...MUST_BE_GOOD]);
    return named.length > 0 ? named : [are('warning', NAMES_ISSUER).at(-1) ?? 'issuer'];
  }
  const blocking = are('problem', MUST_BE_GOOD);
  return isNamedOtherwise(issuer, token?.issuer) ? [...blocking, 'token.issuer'] : blocking;
}

/** Whether the row `token.issuer` has another name written in place of this one. */
function isNamedOtherwise(issuer: string, named: string | undefined): boolean {
  if (named === undefined) return false;
  return isSameButForSpelling(named, issuer) || sameRealmElsewhere(issuer, named)?.inside === 'asked';
}

/** Without the white space around it, and as the token spells it, where it is in the token but for its spelling. */
function mendedAudience({ audience, token }: PastedFacts): readonly string[] | undefined {
  if (audience === undefined) return undefined;
  const asked = audience.map((name) => name.trim());
  const named = token?.audience ?? [];
  const near = asked.some((name) => named.includes(name)) ? undefined : nearAudience(asked, named);
  return near === undefined ? asked : asked.map((name) => (name === near.asked ? near.named : name));
}

function needsHttp(address: string | undefined): boolean {
  return address !== undefined && /^http:/i.test(address) && !isFetchableAddress(address, false);
}

function rowOf({ problems, preset, text }: Configuration, audience: readonly string[]): CheckRow {
  const by = preset === undefined ? 'AuthModule' : `${preset}()`;
  if (problems.length > 0) {
    const found = `${by} refuses ${problems.map(({ path }) => path).join(', ')}`;
    const mend = problems.map(({ path, message }) => printable(`${path} ${message}`)).join('; ');
    return problem('configuration', found, `${mend}.`);
  }
  const spaced = audience.find((name) => name !== name.trim());
  if (spaced !== undefined) {
    const mend = `Write ${quoted(spaced.trim())}: it is compared to the letter.`;
    return problem('configuration', `--audience ${quoted(spaced)} has white space around it`, mend);
  }
  const joined = audience.find((name) => name.includes(','));
  if (joined !== undefined) {
    const mend = `If these are several, give each for itself: ${printable(
      joined
        .split(',')
        .map((name) => `--audience ${name.trim()}`)
        .join(' '),
    )}.`;
    return warning('configuration', `--audience ${quoted(joined)} is taken for one name`, mend);
  }
  const filled = /'<.*>'/.test(text) ? ', once what stands in <…> is filled in' : '';
  return ok('configuration', `${by} takes it${filled}`);
}
