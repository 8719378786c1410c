import { type ExecutionContext, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { Explanation } from '../token/explain.js';
import type { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { rememberAuthentication } from './outcome.js';
import { PresentedTokens } from './presented-tokens.js';
import { refusedThough } from './auth-events.js';
import { contextOfRequest } from './request-context.js';
import { transportOf } from './transports/transport-of.js';

/** What of passport this strategy needs: the registry that `@nestjs/passport` looks strategies up in. */
interface StrategyRegistry {
  use(name: string, strategy: unknown): void;
  unuse(name: string): void;
}

// The mixin registers under this name in its constructor; nobody looks it up.
const SHARED_NAME = 'nestjs-resource-server';
let instances = 0;

/** As passport's callback gets it. */
export interface AuthenticationOutcome {
  /** What went wrong on our side, or in the application's own code. */
  readonly error: Error | null;
  /** False when the credentials were refused. */
  readonly user: unknown;
  /** The verified token, or why it was refused. */
  readonly info: VerifiedAccessToken | AuthError | undefined;
  readonly status: number | undefined;
}

const THROWN_NO_ERROR = 'The `user`, `validate` or `issuers` option threw something that is no Error';

/**
 * The passport strategy behind `AuthGuard`: a passport-jwt strategy (extractor in, `success`, `fail` or `error` out)
 * that hands the token to `AccessTokenVerifier`. The keys come from jwks-rsa, through the verifier.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, SHARED_NAME) implements OnApplicationShutdown {
  /** The name in passport's registry. The registry is one per process, so each instance has a name of its own. */
  declare readonly name: string;
  /** The realm of the challenges, if one was set. */
  readonly realm: string | undefined;
  /** Whether a refusal says how to mend it. */
  readonly explainsRefusals: boolean;
  private readonly user: ResolvedOptions['user'];
  private readonly tokens: PresentedTokens;
  // Else the `user` option would ask a database for each field of each object in a list, and for each guard of a message.
  private readonly operations = new WeakMap<object, { request: object; outcome: Promise<AuthenticationOutcome> }>();

  constructor(
    private readonly verifier: AccessTokenVerifier,
    {
      realm,
      user,
      tokenFrom,
      explainRefusals = false,
    }: Pick<ResolvedOptions, 'realm' | 'user' | 'tokenFrom'> & Partial<Pick<ResolvedOptions, 'explainRefusals'>>,
  ) {
    const tokens = new PresentedTokens(tokenFrom);
    super({
      jwtFromRequest: (request: object) => tokens.get(request, contextOfRequest(request)),
      // passport-jwt wants a key for its own verification, which `authenticate` replaces. Were it ever reached, it
      // would check less than we do: so there is no key to be had.
      secretOrKeyProvider: (_request: unknown, _token: unknown, done: (error: Error) => void) => {
        done(new AuthError('KEYS_UNAVAILABLE'));
      },
    });
    this.realm = realm;
    this.explainsRefusals = explainRefusals;
    this.user = user;
    this.tokens = tokens;
    const registry = this.registry;
    registry.unuse(SHARED_NAME);
    instances += 1;
    (this as { name: string }).name = `${SHARED_NAME}-${String(instances)}`;
    registry.use(this.name, this);
  }

  /** Called by passport, on an object made for this request that has `success`, `fail` and `error`. */
  override authenticate(request: object): void {
    void this.outcomeOf(request, contextOfRequest(request)).then(({ error, user, info }) => {
      if (error !== null) {
        this.error(error);
      } else if (info === undefined || info instanceof AuthError) {
        this.fail(info, info?.status ?? 401);
      } else {
        rememberAuthentication(request, { user, token: info });
        this.success(user, info);
      }
    });
  }

  /** What `authenticate` tells passport; it never rejects. Found out once for an operation that is asked about in parts. */
  outcomeOf(request: object, context: ExecutionContext): Promise<AuthenticationOutcome> {
    const operation = transportOf(context).operationOf(context);
    if (operation === undefined) return this.authenticated(request, context);
    const known = this.operations.get(operation);
    // A context that an application made for all requests says nothing about this one.
    if (known?.request === request) return known.outcome;
    const outcome = this.authenticated(request, context);
    this.operations.set(operation, { request, outcome });
    return outcome;
  }

  private async authenticated(request: object, context: ExecutionContext): Promise<AuthenticationOutcome> {
    let token: VerifiedAccessToken | undefined;
    try {
      token = await this.verifier.verify(this.tokens.get(request, context));
      const user = await this.validate(token);
      return { error: null, user, info: token, status: undefined };
    } catch (error) {
      if (token !== undefined && error instanceof AuthError) refusedThough(error, token);
      // 503 and what the application's own code threw are no failure of the credentials.
      if (error instanceof AuthError && error.status !== 503)
        return { error: null, user: false, info: error, status: error.status };
      const thrown = error instanceof Error ? error : new Error(THROWN_NO_ERROR, { cause: error });
      return { error: thrown, user: undefined, info: undefined, status: undefined };
    }
  }

  /** What came of every check of the token that was sent but `validate`; nothing where none can be found. */
  async explain(request: object, context: ExecutionContext): Promise<readonly Explanation[]> {
    try {
      const token = this.tokens.find(request, context);
      return token === undefined ? [] : await this.verifier.explain(token, { callsValidate: false });
    } catch {
      // It was sent twice, say.
      return [];
    }
  }

  /** Whether no credentials at all were sent: nothing that could be meant for a token. */
  isAnonymous(request: object, context: ExecutionContext): boolean {
    return this.tokens.find(request, context) === undefined;
  }

  /** Makes the user of the verified token: what the `user` option returns, by default the claims. */
  async validate(token: VerifiedAccessToken): Promise<unknown> {
    if (this.user === undefined) return token.claims;
    const user = await this.user(token);
    if (user === undefined || user === null || user === false)
      throw new AuthError('USER_REFUSED', { issuer: token.issuer });
    return user;
  }

  /** Not earlier: requests are served until the server is closed, which Nest does just before. */
  onApplicationShutdown(): void {
    this.registry.unuse(this.name);
  }

  private get registry(): StrategyRegistry {
    return (this as unknown as { getPassportInstance(): StrategyRegistry }).getPassportInstance();
  }
}
