export interface Challenge {
  readonly scheme: string;
  readonly parameters: Record<string, string>;
  readonly token68?: string;
}

const SPACE = /[ \t]*/y;
const EMPTY_ELEMENTS = /[ \t]*(?:,[ \t]*)*/y;
const TOKEN = /[\w!#$%&'*+\-.^`|~]+/y;
const TOKEN68 = /([\w\-.~+/]+=*)(?=[ \t]*(?:,|$))/y;
const PARAMETER =
  /([\w!#$%&'*+\-.^`|~]+)[ \t]*=[ \t]*(?:([\w!#$%&'*+\-.^`|~]+)|"((?:[^"\\\p{Cc}]|\t|\\[^\p{Cc}]|\\\t)*)")/uy;

/**
 * Parses a `WWW-Authenticate` header (RFC 9110 §11.6.1). Undefined when any of it breaks the grammar. Names are
 * lower-cased, of duplicate parameters the last counts.
 */
export function parseChallenges(header: string): Challenge[] | undefined {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at += match[0].length;
    return match;
  };
  const isAtEnd = () => at === header.length;
  const isAtElementEnd = () => {
    take(SPACE);
    return isAtEnd() || header[at] === ',';
  };

  const challenges: Challenge[] = [];
  take(EMPTY_ELEMENTS);
  while (!isAtEnd()) {
    const scheme = take(TOKEN)?.[0].toLowerCase();
    if (scheme === undefined) return undefined;
    const parameters: Record<string, string> = {};
    let token68: string | undefined;
    // After the scheme: a space and what belongs to it, the next element of the list, or the end.
    if (header[at] === ' ') {
      take(SPACE);
      token68 = take(TOKEN68)?.[1];
      if (token68 === undefined) {
        take(EMPTY_ELEMENTS);
        for (let match = take(PARAMETER); match !== null; match = take(PARAMETER)) {
          const [, name = '', bare, quoted = ''] = match;
          parameters[name.toLowerCase()] = bare ?? quoted.replace(/\\(.)/gu, '$1');
          if (!isAtElementEnd()) return undefined;
          take(EMPTY_ELEMENTS);
        }
      } else if (!isAtElementEnd()) return undefined;
    } else if (!isAtEnd() && header[at] !== ',') return undefined;
    challenges.push({ scheme, parameters, ...(token68 === undefined ? {} : { token68 }) });
    take(EMPTY_ELEMENTS);
  }
  return challenges.length === 0 ? undefined : challenges;
}
