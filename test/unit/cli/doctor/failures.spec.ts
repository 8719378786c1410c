import { describe, expect, it } from '@jest/globals';
import { whyUnreachable } from '../../../../src/cli/doctor/failures.js';
import { FetchError } from '../../../../src/remote/fetch-error.js';

const why = (errorCode: string | undefined, code: 'NETWORK' | 'TIMEOUT' = 'NETWORK') =>
  whyUnreachable(
    { address: 'https://id.example.com/x', tookMs: 1, failure: new FetchError(code, 'x'), errorCode },
    5_000,
  );

describe('why nobody answered', () => {
  it.each([
    ['EAI_AGAIN', 'DNS', 'DNS server'],
    ['ECONNREFUSED', 'refused', 'Nobody listens'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout', '--timeout 20'],
    ['CERT_HAS_EXPIRED', 'TLS', 'renewed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLS', 'for another name than id.example.com'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TLS', 'NODE_EXTRA_CA_CERTS'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TLS', 'NODE_EXTRA_CA_CERTS'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS', 'This port most likely speaks http'],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'TLS', 'This port most likely speaks http'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'TLS', 'does not speak TLS on this port'],
    ['ECONNRESET', 'broke off', 'speaks https'],
    [undefined, 'broke off', 'speaks https'],
  ])('%s is told with its mend', (code, found, mend) => {
    expect(why(code)).toEqual({ found: expect.stringContaining(found), mend: expect.stringContaining(mend) });
  });

  it('tells a deadline of our own as one', () => {
    expect(why(undefined, 'TIMEOUT').found).toBe('id.example.com did not answer within 5 s (timeout)');
  });
});
