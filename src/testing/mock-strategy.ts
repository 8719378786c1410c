import { AuthError } from '../model/errors.js';
import { type AuthenticationOutcome, JwtStrategy } from '../nest/jwt.strategy.js';
import type { AccessTokenVerifier } from '../token/access-token-verifier.js';
import type { MockedTokens } from './mock-caller.js';

/** Looks at no token: says who calls. */
export class MockStrategy extends JwtStrategy {
  // A request may be asked about several times, and a caller's function says who is next.
  private readonly outcomes = new WeakMap<object, AuthenticationOutcome>();

  constructor(private readonly callers: MockedTokens) {
    // It is never asked.
    super(undefined as unknown as AccessTokenVerifier, { realm: undefined, user: undefined, tokenFrom: [] });
  }

  override outcomeOf(request: object): Promise<AuthenticationOutcome> {
    let outcome = this.outcomes.get(request);
    if (outcome === undefined) this.outcomes.set(request, (outcome = this.next()));
    return Promise.resolve(outcome);
  }

  /** Asked only of whom was refused for that. */
  override isAnonymous(): boolean {
    return true;
  }

  private next(): AuthenticationOutcome {
    try {
      const { token, user } = this.callers.next('');
      if (user !== null && user !== false) return { error: null, user, info: token, status: undefined };
      return refused(new AuthError('USER_REFUSED', { issuer: token.issuer }));
    } catch (error) {
      if (error instanceof AuthError) return refused(error);
      return { error: error as Error, user: undefined, info: undefined, status: undefined };
    }
  }
}

function refused(info: AuthError): AuthenticationOutcome {
  return { error: null, user: false, info, status: info.status };
}
