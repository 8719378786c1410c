import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../model/errors.js';
import type { ResolvedTokenFrom } from '../options/resolve-token-from.js';
import { bearerToken } from '../token/bearer.js';
import { onlyToken, tokenOfText, tokensAt } from '../token/presented-token.js';
import { transportOf } from './transports/transport-of.js';
import { authorizationHeaders, type HttpRequest } from './transports/http.js';

/** Takes the token out of a call, from where the `tokenFrom` option says that it stands. */
export class PresentedTokens {
  /** Nothing but the header, as most have it: then an HTTP request needs no more than a look at that. */
  private readonly isHeaderOnly: boolean;
  private readonly isInAddress: boolean;

  constructor(private readonly tokenFrom: ResolvedTokenFrom) {
    const places = tokenFrom.map((place) => (typeof place === 'function' ? 'function' : place.from));
    this.isHeaderOnly = places.every((place) => place === 'bearer-header');
    this.isInAddress = places.includes('query');
  }

  /**
   * @returns undefined where no token was sent, and nothing that could be meant for one.
   * @throws AuthError TOKEN_MULTIPLE, TOKEN_MALFORMED, TOKEN_TOO_LARGE, SCHEME_UNSUPPORTED, ORIGIN_UNTRUSTED
   */
  find(request: object, context: ExecutionContext): string | undefined {
    if (this.isHeaderOnly && context.getType() === 'http') {
      const sent = authorizationHeaders(request as HttpRequest);
      return isNothing(sent) ? undefined : bearerToken(sent);
    }
    const transport = transportOf(context);
    const carrier = transport.carrierOf(request, context);
    if (carrier.renewed !== undefined) return carrier.renewed;
    // RFC 6750 §2.3. Whether a token stands there or not: no cache may tell one answer from the other. Before anything is
    // refused, since that is an answer, too.
    if (this.isInAddress) transport.setHeader(context, 'Cache-Control', 'no-store');
    const tokens: string[] = [];
    for (const place of this.tokenFrom) {
      tokens.push(...(typeof place === 'function' ? tokenOfText(readBy(place, context)) : tokensAt(place, carrier)));
    }
    return onlyToken(tokens);
  }

  /** @throws AuthError also TOKEN_MISSING */
  get(request: object, context: ExecutionContext): string {
    const token = this.find(request, context);
    if (token === undefined) throw new AuthError('TOKEN_MISSING');
    return token;
  }
}

function isNothing(headers: readonly string[]): boolean {
  for (const header of headers) if (header !== '') return false;
  return true;
}

function readBy(reader: (context: never) => unknown, context: ExecutionContext): unknown {
  return reader(context as never);
}
