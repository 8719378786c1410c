import { isFetchableAddress } from '../../model/address.js';
import { literal, quoted } from '../printable.js';
import { type CheckRow, ok, problem, warning } from './check-row.js';

export interface Spelling {
  readonly row: CheckRow;
  /** What was most likely meant; undefined where nobody may be asked there. */
  readonly issuer: string | undefined;
}

/**
 * Whether the issuer is written as one can be: an address with https (RFC 8414 §2), and nothing around it.
 * Whether it is written as THIS issuer writes itself is known from its metadata only.
 */
export function checkSpelling(
  text: string,
  { allowHttp, jwksUri }: { readonly allowHttp: boolean; readonly jwksUri: string | undefined },
): Spelling {
  const { meant, faults } = clean(text);
  const name = quoted(shownName(text));
  if (!/^https?:\/\/./i.test(meant) || !URL.canParse(meant)) {
    const mend = `Write the whole address, https:// first, as \`iss\` has it${URL.canParse(`https://${meant}`) && !/^[a-z][\w+.-]*:/i.test(meant) ? `: --issuer https://${meant}` : ''}.`;
    const found = `${name} is no address`;
    // RFC 7519 §4.1.1: a name need not be one, where the keys are found without it.
    return {
      issuer: undefined,
      row: jwksUri === undefined ? problem('issuer', found, mend, 'https://…') : warning('issuer', found, mend),
    };
  }
  if (!isFetchableAddress(meant, allowHttp)) {
    const secure = meant.replace(/^http:/i, 'https:');
    const mend = `Write ${literal(secure)}, if the issuer answers there; over http, whoever is on the path can forge every token. In a closed network: --allow-http, and insecureAllowHttp: true.`;
    return { issuer: undefined, row: problem('issuer', [`${name} is http`, ...faults].join('; '), mend, 'https') };
  }
  if (faults.length > 0) {
    return {
      issuer: meant,
      row: problem('issuer', `${name} ${faults.join('; ')}`, `Write ${literal(meant)}.`, quoted(meant)),
    };
  }
  if (!isFetchableAddress(meant, false)) {
    const mend = 'Use https as soon as there is more than one machine: whoever is on the path can forge every token.';
    return { issuer: meant, row: warning('issuer', `${name} is http, which --allow-http allows`, mend, 'https') };
  }
  return { issuer: meant, row: ok('issuer', name) };
}

function clean(text: string): { readonly meant: string; readonly faults: readonly string[] } {
  const faults: string[] = [];
  let meant = text;
  const mended = (next: string, fault: string) => {
    if (next === meant) return;
    faults.push(fault);
    meant = next;
  };
  mended(meant.replace(/\s+/g, ''), 'has spaces in it');
  mended(meant.replace(/^(["'`])(.*)\1$/, '$2'), 'has quotation marks around it');
  mended(withoutCredentials(meant, ''), 'has credentials in it');
  mended(meant.replace(/[?#].*$/, ''), 'has a query or fragment');
  // RFC 8414 §3 puts the well-known part in the middle, OpenID Connect Discovery §4 at the end.
  mended(meant.replace(/\/\.well-known\/[^/]*/, ''), 'is the address of the metadata, not the issuer');
  return { meant, faults };
}

/** Up to the last `@` before a query: a password may have a `/` or an `@` in it, and is not to be seen. */
export function withoutCredentials(address: string, instead = '…@'): string {
  return address.replace(/^(\s*["'`]?(?:[a-z][\w+.-]*:\/\/)?)[^?#]*@/i, `$1${instead}`);
}

/** For the terminal: nor what stands in a query. */
function shownName(text: string): string {
  return withoutCredentials(text.replace(/([?#]).*$/s, '$1…'));
}
