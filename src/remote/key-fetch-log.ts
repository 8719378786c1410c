import type { KeySet } from '../keys/key-set.js';
import type { FetchError } from './fetch-error.js';

const REPEAT_MS = 600_000;
const MAX_PROBLEMS = 10;

/** Reports failed and recovered fetches of an issuer's keys without flooding the log during an outage. */
export class KeyFetchLog {
  private last: { readonly kind: string; readonly at: number } | undefined;

  constructor(
    private readonly issuer: string,
    private readonly onProblem: (message: string) => void,
  ) {}

  /** Reports the first failure, each failure of another kind, and a continuing failure every ten minutes. */
  reportFailure({ code, message }: FetchError, hasKeys: boolean, now: number): void {
    const kind = `${code} ${String(hasKeys)}`;
    if (this.last?.kind === kind && now - this.last.at < REPEAT_MS) return;
    this.last = { kind, at: now };
    this.report(`cannot be fetched: ${message}`);
  }

  reportSuccess(previousFailures: number, changedSet: KeySet | undefined): void {
    this.last = undefined;
    if (previousFailures > 0) this.report(`can be fetched again after ${String(previousFailures)} failed attempts`);
    const problems = changedSet?.problems.slice(0, MAX_PROBLEMS) ?? [];
    if (problems.length > 0) this.report(`cannot all be used: ${problems.join('; ')}`);
  }

  private report(what: string): void {
    this.onProblem(`Keys of ${this.issuer} ${what}`);
  }
}
