import type { ExecutionContext } from '@nestjs/common';
import type { Presented } from '../../token/authenticator.js';
import type { TokenCarrier, TokenExtractor } from '../../token/token-extractor.js';
import { authorizationHeaders, HttpPresented, type HttpRequest } from './http.js';

/**
 * Reads the token of a socket in the request that opened it.
 * @param more tokens in places that only this kind of socket has.
 */
export function readHandshake(
  request: HttpRequest,
  context: ExecutionContext,
  extractor: TokenExtractor,
  { authorization = [], bare = [] }: Partial<Pick<TokenCarrier, 'authorization' | 'bare'>> = {},
): Presented | undefined {
  const { headers, url } = request;
  const carrier: TokenCarrier = {
    authorization: [...authorization, ...authorizationHeaders(request)],
    bare: [...bare, ...protocolToken(headers)],
    headers,
    method: 'GET',
    opensSocket: true,
    url,
  };
  const token = extractor.extract(carrier, context);
  return token === undefined ? undefined : new HttpPresented(token, request);
}

/**
 * A browser can set no other header for a socket: `new WebSocket(url, ['bearer', token])`. The server answers with the first
 * protocol, so that the token is not sent back.
 */
function protocolToken(headers: HttpRequest['headers']): readonly string[] {
  const sent = [headers['sec-websocket-protocol'] ?? []].flat().flatMap((value) => value.split(','));
  const protocols = sent.map((protocol) => protocol.trim());
  const tokens: string[] = [];
  protocols.forEach((protocol, index) => {
    const next = protocols[index + 1];
    if (protocol.toLowerCase() === 'bearer' && next !== undefined) tokens.push(next);
  });
  return tokens;
}
