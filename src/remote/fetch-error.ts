/** The kind of failure, for those who watch: stable, and without any text from the network. */
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

/** Why something could not be fetched, in words for the log. Never quotes the body. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  /** What the server asked to wait (RFC 9110 §10.2.3), if it did. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: FetchErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** Nobody answered: another address of the same server will not do better. */
  get isUnreachable(): boolean {
    return this.code === 'NETWORK' || this.code === 'TIMEOUT' || this.code === 'CLOSED';
  }
}
