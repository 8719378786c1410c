/** A stable code for each kind of failure, for metrics and health checks. It contains no text from the network. */
export type FetchErrorCode =
  | 'NETWORK'
  | 'TIMEOUT'
  | 'CLOSED'
  | 'STATUS'
  | 'REDIRECT'
  | 'MEDIA_TYPE'
  | 'TOO_LARGE'
  | 'NOT_JSON'
  | 'METADATA_INVALID'
  | 'ISSUER_MISMATCH'
  | 'ADDRESS_REFUSED'
  | 'KEYS_UNUSABLE';

/** A failed exchange with an authorization server. The message is for the log and never quotes a response body. */
export class FetchError extends Error {
  override readonly name = 'FetchError';

  constructor(
    readonly code: FetchErrorCode,
    message: string,
    /** The delay that the server requested (RFC 9110 §10.2.3), if any. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }

  /** Whether there was no response. Another address of the same server is then unlikely to respond. */
  get isUnreachable(): boolean {
    return this.code === 'NETWORK' || this.code === 'TIMEOUT' || this.code === 'CLOSED';
  }
}
