import type { ResolvedOptions } from '../options/resolve-options.js';
import { StaticKeys } from '../keys/static-keys.js';
import type { KeySourceFactory } from '../token/trusted-issuers.js';
import { discoverJwksUri } from './discovery.js';
import { RemoteKeys } from './jwks.js';

/** Which source `keys` stands for. */
export function keySourceFactory(
  { fetch, clock, insecureAllowHttp }: Pick<ResolvedOptions, 'fetch' | 'clock' | 'insecureAllowHttp'>,
  onProblem: (message: string) => void,
): KeySourceFactory {
  return (issuer, keys) => {
    if (keys.from === 'static') return new StaticKeys(keys.keySet);
    const network = {
      // Looked up at each call: a test or an instrumentation may have replaced it since.
      fetch: fetch ?? ((...call: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...call)),
      timeoutMs: keys.timeoutMs,
    };
    const locate =
      keys.from === 'jwks'
        ? () => keys.uri
        : () => discoverJwksUri(issuer, { ...network, uri: keys.uri, allowHttp: insecureAllowHttp });
    return new RemoteKeys({ ...keys, ...network, issuer, clock, locate, onProblem });
  };
}
