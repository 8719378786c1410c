/** Limits how many fetches or loads are in progress at a time. There is no queue: a caller can repeat its request, and a queue has no bound. */
export class FetchLimit {
  private running = 0;

  constructor(private readonly max: number) {}

  /** Starts the fetch, or returns undefined if the limit is reached. */
  run(fetch: () => Promise<void>): Promise<void> | undefined {
    if (this.running >= this.max) return undefined;
    this.running += 1;
    return fetch().finally(() => (this.running -= 1));
  }
}

/**
 * The limits that all tenants of an `issuers` function share. A token can name any of them before it is verified, so that a caller
 * without a valid token could otherwise open a connection for each.
 */
export class TenantLimits {
  /** For tenants whose keys this process has never fetched. An unreachable one uses its place until the deadline. */
  readonly firstFetches = new FetchLimit(16);
  /** For refreshes and unknown key ids of the others, which therefore never wait for tenants whose keys are not known. */
  readonly laterFetches = new FetchLimit(64);
  /** For the stored keys of tenants whose first token was received. A store that hangs uses a place until the deadline. */
  readonly storeLoads = new FetchLimit(64);
}
