import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  Req,
  type Type,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  AccessToken,
  AuthError,
  AuthGuard,
  AuthModule,
  CurrentUser,
  OptionalAuth,
  Public,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { closeApps, PLATFORMS, type Platform } from '../support/app.js';
import { AUDIENCE } from '../support/local-issuer.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { outcomeOf, startOrders } from '../support/orders-app.js';

const { issuer, good } = issuerWithTokens();
const claims = () => issuer.claims({ jti: 'one' });

afterEach(closeApps);

/** The guard of the Nest docs. */
@Injectable()
class DocumentedGuard extends AuthGuard {
  override handleRequest<User>(error: unknown, user: User): User {
    if (error || !user) throw (error as Error | null) ?? new UnauthorizedException();
    return user;
  }
}

@Injectable()
class WrappingGuard extends AuthGuard {
  override handleRequest<User>(error: unknown, user: User, info: unknown, context: ExecutionContext): User {
    return { wrapped: super.handleRequest(error, user, info, context) } as User;
  }
}

@Injectable()
class AsyncGuard extends AuthGuard {
  override handleRequest<User>(_error: unknown, user: User): User {
    const handled = user ? Promise.resolve({ found: user }) : Promise.reject(new UnauthorizedException());
    return handled as User;
  }
}

@Injectable()
class FieldGuard extends AuthGuard {
  override handleRequest = <User>(error: unknown, user: User): User => {
    if (error || !user) throw new UnauthorizedException();
    return { field: user } as User;
  };
}

/** Passes a guest user, although the credentials were rejected. */
@Injectable()
class GuestGuard extends AuthGuard {
  override handleRequest<User>(error: unknown, user: User, info: unknown, context: ExecutionContext): User {
    return super.handleRequest(error, (user || { sub: 'guest' }) as User, info, context);
  }
}

/** As many applications write an optional guard for @nestjs/passport. */
@Injectable()
class PassingGuard extends AuthGuard {
  override handleRequest<User>(_error: unknown, user: User): User {
    return user;
  }
}

@Injectable()
class SilentGuard extends AuthGuard {
  override handleRequest(): never {
    return undefined as never;
  }
}

@Injectable()
class AccountGuard extends AuthGuard {
  override getAuthenticateOptions() {
    return Promise.resolve({ property: 'account' });
  }
}

@Injectable()
class NoPropertyGuard extends AuthGuard {
  override getAuthenticateOptions(context: ExecutionContext) {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    return { property: (headers['x-property'] === 'empty' ? '' : 7) as string };
  }
}

const handled: unknown[][] = [];

@Injectable()
class RecordingGuard extends AuthGuard {
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: unknown,
    context: ExecutionContext,
    status?: unknown,
  ): User {
    handled.push([error, user, info, status]);
    return super.handleRequest(error, user, info, context, status);
  }
}

async function askWith(platform: Platform, guard: Type<AuthGuard>, headers: Record<string, string>, path = 'guarded') {
  @Controller('guarded')
  @UseGuards(guard)
  class GuardedController {
    @Get()
    read(
      @CurrentUser() user: unknown,
      @AccessToken() token: VerifiedAccessToken | undefined,
      @Req() request: { user?: unknown; account?: unknown },
    ) {
      return { user, issuer: token?.issuer, requestUser: request.user, account: request.account };
    }

    @Get('optional')
    @OptionalAuth()
    optional(@CurrentUser() user: unknown) {
      return { user };
    }
  }
  const { ask } = await startOrders(issuer, { guard: 'manual' }, { platform, controllers: [GuardedController] });
  return ask(headers, path);
}

describe.each(PLATFORMS)('A subclass of AuthGuard on %s', (platform) => {
  const ask = (guard: Type<AuthGuard>, headers: Record<string, string>, path?: string) =>
    askWith(platform, guard, headers, path);

  it.each([
    ['of the Nest docs', DocumentedGuard, (user: unknown) => user],
    ['that wraps the user', WrappingGuard, (user: unknown) => ({ wrapped: user })],
    ['that returns a promise', AsyncGuard, (user: unknown) => ({ found: user })],
    ['that is a field', FieldGuard, (user: unknown) => ({ field: user })],
  ])('has a handleRequest %s, which decides who the user is', async (_what, guard, userOf) => {
    const user = userOf(claims());
    const answer = await ask(guard, good(claims()));
    expect([answer.status, answer.body]).toEqual([200, { user, issuer: issuer.url, requestUser: user }]);
  });

  it.each([
    ['no token', DocumentedGuard, () => ({})],
    ['an expired token', DocumentedGuard, () => good({ exp: 1_000 })],
    ['no token, asynchronously', AsyncGuard, () => ({})],
  ])('that throws an UnauthorizedException for %s answers 401 with a challenge', async (_what, guard, headers) => {
    const answer = await ask(guard, headers());
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it.each([WrappingGuard, GuestGuard])('that calls super.handleRequest keeps each refusal: %p', async (guard) => {
    const answer = await ask(guard, good({ exp: 1_000 }));
    expect([answer.status, answer.body.code]).toEqual([401, 'TOKEN_EXPIRED']);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    expect((await ask(guard, {})).body.code).toBe('TOKEN_MISSING');
  });

  it('that calls super.handleRequest admits guests to an optional route, but no rejected token', async () => {
    const guest = await ask(WrappingGuard, {}, 'guarded/optional');
    expect([guest.status, guest.body]).toEqual([200, { user: {} }]);
    const refused = await ask(WrappingGuard, good({ exp: 1_000 }), 'guarded/optional');
    expect([refused.status, refused.body.code]).toEqual([401, 'TOKEN_EXPIRED']);
  });

  it.each([PassingGuard, SilentGuard])(
    'that returns no user admits nobody but the guests of an optional route: %p',
    async (guard) => {
      const codeOf = async (...sent: [Record<string, string>, string?]) => (await ask(guard, ...sent)).body.code;
      expect(await codeOf({})).toBe('TOKEN_MISSING');
      expect(await codeOf(good({ exp: 1_000 }))).toBe('TOKEN_EXPIRED');
      expect(await codeOf(good({ exp: 1_000 }), 'guarded/optional')).toBe('TOKEN_EXPIRED');
      expect((await ask(guard, {}, 'guarded/optional')).status).toBe(200);
    },
  );

  it.each([undefined, null, false, ''])('that returns %p for a valid token refuses it (USER_REFUSED)', async (user) => {
    class RefusingGuard extends AuthGuard {
      override handleRequest = () => user as never;
    }
    for (const path of ['guarded', 'guarded/optional'])
      expect((await ask(RefusingGuard, good(), path)).body.code).toBe('USER_REFUSED');
  });

  it('chooses the property of the request with getAuthenticateOptions', async () => {
    const user = claims();
    const answer = await ask(AccountGuard, good(user));
    expect([answer.status, answer.body]).toEqual([200, { user, issuer: issuer.url, account: user }]);
  });

  it.each(['empty', 'number'])('falls back to request.user if that property is no name: %s', async (property) => {
    const user = claims();
    const answer = await ask(NoPropertyGuard, { ...good(user), 'x-property': property });
    expect([answer.status, answer.body.requestUser]).toEqual([200, user]);
  });

  it("receives the arguments of passport's callback in handleRequest", async () => {
    handled.length = 0;
    const user = claims();
    await ask(RecordingGuard, good(user));
    await ask(RecordingGuard, good({ exp: 1_000 }));
    await ask(RecordingGuard, {});
    expect(handled).toStrictEqual([
      [null, user, expect.objectContaining({ issuer: issuer.url }), undefined],
      [null, false, expect.objectContaining({ code: 'TOKEN_EXPIRED' }), 401],
      [null, false, expect.objectContaining({ code: 'TOKEN_MISSING' }), 401],
    ]);
  });
});

describe('AuthGuard', () => {
  it('decides synchronously about a token that was verified before', async () => {
    const decisions: unknown[] = [];
    class ObservedGuard extends AuthGuard {
      override canActivate(context: ExecutionContext) {
        const decision = super.canActivate(context);
        decisions.push(decision);
        return decision;
      }
    }
    const { ask } = await startOrders(issuer, { guard: ObservedGuard, user: (token) => token.claims });
    const headers = good();
    for (let turn = 0; turn < 3; turn += 1) expect((await ask(headers)).status).toBe(200);
    expect(decisions).toEqual([expect.any(Promise), true, true]);
  });

  class PigeonController {
    closed() {
      return 'closed';
    }

    @OptionalAuth()
    optional() {
      return 'optional';
    }

    @Public()
    public() {
      return 'public';
    }
  }

  it.each(PLATFORMS)('of a second module applies the options of that module, on %s', async (platform) => {
    @Controller('admin')
    @UseGuards(AuthGuard)
    class AdminController {
      @Get()
      read() {
        return {};
      }
    }
    const admin = { issuer: issuer.url, audience: 'https://admin.example.com', require: { scopes: ['admin'] } };
    @Module({
      imports: [AuthModule.forRoot({ ...admin, guard: 'manual', isGlobal: false })],
      controllers: [AdminController],
    })
    class AdminModule {}
    const audience = [AUDIENCE, admin.audience];
    const { ask } = await startOrders(issuer, {}, { platform, imports: [AdminModule], controllers: [] });
    const outcome = async (members: Record<string, unknown>) => outcomeOf(await ask(good(members), 'admin'));
    expect(await outcome({ scope: 'admin' })).toBe('401 AUDIENCE_MISMATCH');
    expect(await outcome({ aud: audience })).toBe('403 SCOPE_INSUFFICIENT');
    expect(await outcome({ aud: audience, scope: 'admin' })).toBe('200');
  });

  it('refuses a call of an unknown transport, except to public and optional handlers (TOKEN_MISSING)', async () => {
    const { app } = await startOrders(issuer);
    const decide = async (handler: keyof PigeonController) => {
      // The first argument looks like a request with a valid token.
      const context = new ExecutionContextHost(
        [{ headers: good() }, {}],
        PigeonController,
        Reflect.get<PigeonController, typeof handler>(PigeonController.prototype, handler),
      );
      context.setType('carrier-pigeon');
      return app.get(AuthGuard).canActivate(context);
    };
    const refusal: unknown = await decide('closed').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AuthError);
    expect(refusal).toMatchObject({ code: 'TOKEN_MISSING', detail: { transport: 'carrier-pigeon' } });
    expect(await decide('public')).toBe(true);
    // The token is in no place of `tokenFrom`, so the caller is a guest.
    expect(await decide('optional')).toBe(true);
  });

  it('rejects a result of passport without user and reason (TOKEN_MISSING)', async () => {
    const { app } = await startOrders(issuer);
    const context = new ExecutionContextHost(
      [{ headers: {} }, {}],
      PigeonController,
      Reflect.get(PigeonController.prototype, 'closed'),
    );
    for (const user of [null, undefined, false, '', 0])
      expect(() => app.get(AuthGuard).handleRequest(null, user, undefined, context)).toThrow(
        new AuthError('TOKEN_MISSING').message,
      );
  });
});
