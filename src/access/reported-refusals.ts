import type { AuthError, AuthErrorCode } from '../model/errors.js';

/** Calls that were admitted only because of `reportOnly`. */
export interface ReportedRefusal {
  readonly code: AuthErrorCode;
  /** `client_id` of the token, or what issuers send instead (`azp`, `appid`, `cid`). Undefined without it, and for guests. */
  readonly clientId: string | undefined;
  /** The handler that was called: `OrdersController.list`. Undefined for a check of the token itself. */
  readonly handler: string | undefined;
  readonly count: number;
}

// Clients times checks times handlers. Further combinations are counted together, so that memory stays bounded.
const MAX_ROWS = 1_000;

/** Counts what `reportOnly` admitted, so that a team sees which clients a check would lock out before it is enforced. */
export class ReportedRefusals {
  private readonly rows = new Map<string, ReportedRefusal>();

  /** @param onCount called for the first, the tenth, the hundredth … call of a row, so that the log is not flooded. */
  constructor(private readonly onCount: (refusal: ReportedRefusal, error: AuthError) => void = () => undefined) {}

  /** Returns all rows, the most frequent first. */
  counts(): readonly ReportedRefusal[] {
    return [...this.rows.values()].sort((left, right) => right.count - left.count);
  }

  add(error: AuthError, clientId: string | undefined, handler?: string): void {
    let kind = { code: error.code, clientId, handler };
    let key = JSON.stringify(kind);
    if (!this.rows.has(key) && this.rows.size >= MAX_ROWS) {
      kind = { code: error.code, clientId: undefined, handler: undefined };
      key = JSON.stringify(kind);
    }
    const row = { ...kind, count: (this.rows.get(key)?.count ?? 0) + 1 };
    this.rows.set(key, row);
    if (Number.isInteger(Math.log10(row.count))) this.onCount(row, error);
  }
}
