import type { TokenCarrier } from '../../token/presented-token.js';
import { authorizationHeaders, type HttpRequest } from './http.js';

/** The request that opened a socket, as a place for tokens. */
export function handshakeCarrier(request: HttpRequest, bare: readonly unknown[] = []): TokenCarrier {
  const { headers, url } = request;
  const authorization = authorizationHeaders(request);
  return { authorization, bare: [...bare, ...protocolToken(headers)], headers, method: 'GET', opensSocket: true, url };
}

/**
 * A browser can set no header but this one: `new WebSocket(url, ['bearer', token])`. The server answers with the first
 * protocol, so the token is not sent back.
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
