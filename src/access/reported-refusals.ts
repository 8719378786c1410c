import type { AuthError, AuthErrorCode } from '../model/errors.js';

/** Calls that passed, and that would have been refused but for `reportOnly`. */
export interface ReportedRefusal {
  readonly code: AuthErrorCode;
  /** `client_id` of the token, or what issuers send in its place (`azp`, `appid`, `cid`); undefined where it has neither, and for guests. */
  readonly clientId: string | undefined;
  /** Where it was seen: `OrdersController.list`; undefined for a check of the token itself. */
  readonly handler: string | undefined;
  readonly count: number;
}

// Clients times checks times handlers. What comes after that is counted together.
const MAX_ROWS = 1_000;

/** Counts what `reportOnly` let pass, so that a team sees who would be locked out before it is strict. */
export class ReportedRefusals {
  private readonly rows = new Map<string, ReportedRefusal>();

  /** @param onCount told at the first, the tenth, the hundredth … call of a kind, so that a log is not flooded. */
  constructor(private readonly onCount: (refusal: ReportedRefusal, error: AuthError) => void = () => undefined) {}

  /** All kinds so far, the most frequent ones first. */
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
