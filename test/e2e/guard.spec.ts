import { describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Req,
  type Type,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import {
  AccessToken,
  AccessTokenVerifier,
  type AuthError,
  AuthGuard,
  AuthModule,
  CurrentUser,
  JwtStrategy,
  type VerifiedAccessToken,
} from '../../src/index.js';
import type { HttpRequest } from '../../src/nest/transports/http.js';
import { bearer, call, PLATFORMS, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';
import { fromBearerHeader } from '../../src/options/token-places.js';

const AUDIENCE = 'https://api.example.com';
const key = newKey();
const issuer = LocalIssuer.forFile([key]);

/** As the Nest docs write it. */
@Injectable()
class DocumentedGuard extends AuthGuard {
  override handleRequest<User>(error: unknown, user: User): User {
    if (error || !user) throw (error as Error | null) ?? new UnauthorizedException();
    return user;
  }
}

@Injectable()
class WrappingGuard extends AuthGuard {
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: VerifiedAccessToken | AuthError | undefined,
    context: ExecutionContext,
  ): User {
    return { wrapped: super.handleRequest(error, user, info, context) } as User;
  }
}

@Injectable()
class AskingGuard extends AuthGuard {
  override handleRequest<User>(_error: unknown, user: User): User {
    const answered = user ? Promise.resolve({ asked: user }) : Promise.reject(new UnauthorizedException());
    return answered as User;
  }
}

@Injectable()
class AccountGuard extends AuthGuard {
  override getAuthenticateOptions() {
    return Promise.resolve({ property: 'account' });
  }
}

const handled: unknown[][] = [];

@Injectable()
class RecordingGuard extends AuthGuard {
  override handleRequest<User>(
    error: unknown,
    user: User,
    info: VerifiedAccessToken | AuthError | undefined,
    context: ExecutionContext,
    status?: unknown,
  ): User {
    handled.push([error, user, info, status]);
    return super.handleRequest(error, user, info, context, status);
  }
}

describe.each(PLATFORMS)('a subclass of AuthGuard on %s', (platform) => {
  const ask = async (guard: Type<AuthGuard>, headers: Record<string, string>) => {
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
    }

    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, guard: 'manual' })],
      controllers: [GuardedController],
    });
    const answer = await call(`${running.url}/guarded`, headers);
    await running.close();
    return answer;
  };
  const claims = () => issuer.claims({ jti: 'one' });
  const good = (members: Record<string, unknown>) => bearer(issuer.token(key, 'RS256', members));

  it('with the handleRequest of the Nest docs hands user and token to the handler', async () => {
    const user = claims();
    const answer = await ask(DocumentedGuard, good(user));
    expect([answer.status, answer.body]).toEqual([200, { user, issuer: issuer.url, requestUser: user }]);
  });

  it.each([
    ['no token', () => ({})],
    ['an expired one', () => good({ exp: 1_000 })],
  ])('with the handleRequest of the Nest docs answers %s with 401 and a challenge', async (_what, headers) => {
    const answer = await ask(DocumentedGuard, headers());
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it('makes the user by what its handleRequest returns', async () => {
    const user = { wrapped: claims() };
    const answer = await ask(WrappingGuard, good(user.wrapped));
    expect([answer.status, answer.body]).toEqual([200, { user, issuer: issuer.url, requestUser: user }]);
  });

  it('leaves refusals to AuthGuard where its handleRequest calls it', async () => {
    const answer = await ask(WrappingGuard, good({ exp: 1_000 }));
    expect([answer.status, answer.body.code]).toEqual([401, 'TOKEN_EXPIRED']);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });

  it('puts the user where its getAuthenticateOptions says', async () => {
    const user = claims();
    const answer = await ask(AccountGuard, good(user));
    expect([answer.status, answer.body]).toEqual([200, { user, issuer: issuer.url, account: user }]);
  });

  it("gets what passport's callback gets: null, unless something went wrong on our side", async () => {
    handled.length = 0;
    const user = claims();
    await ask(RecordingGuard, good(user));
    await ask(RecordingGuard, good({ exp: 1_000 }));
    expect(handled).toStrictEqual([
      [null, user, expect.objectContaining({ issuer: issuer.url }), undefined],
      [null, false, expect.objectContaining({ code: 'TOKEN_EXPIRED' }), 401],
    ]);
  });

  it('waits for a handleRequest that takes its time', async () => {
    const user = { asked: claims() };
    const answers = [await ask(AskingGuard, good(user.asked)), await ask(AskingGuard, {})];
    expect(answers.map(({ status }) => status)).toEqual([200, 401]);
    expect(answers[0]?.body).toEqual({ user, issuer: issuer.url, requestUser: user });
  });
});

describe.each(PLATFORMS)("a strategy of an application's own in the place of JwtStrategy, on %s", (platform) => {
  /** Refuses whoever sends no `x-tenant`, before any token is looked at. */
  class TenantStrategy extends JwtStrategy {
    override authenticate(request: HttpRequest): void {
      if (request.headers['x-tenant'] === undefined) this.fail('no tenant', 401);
      else if (request.headers['x-tenant'] === 'undecided') this.pass();
      else super.authenticate(request);
    }
  }

  it('is asked by the guard, and can leave the rest to JwtStrategy', async () => {
    const factory = (verifier: AccessTokenVerifier) =>
      new TenantStrategy(verifier, { realm: undefined, user: undefined, tokenFrom: [fromBearerHeader()] });
    const running = await startApp(
      platform,
      {
        imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
        controllers: [OrdersController],
      },
      {
        override: (builder) =>
          builder.overrideProvider(JwtStrategy).useFactory({ factory, inject: [AccessTokenVerifier] }),
      },
    );
    const good = bearer(issuer.token(key, 'RS256'));
    const ask = async (headers: Record<string, string>) => (await call(`${running.url}/orders`, headers)).status;
    const tenant = { 'x-tenant': 'acme' };
    expect(await ask({ ...good, ...tenant })).toBe(200);
    expect(await ask(good)).toBe(401);
    expect(await ask(tenant)).toBe(401);
    expect(await ask({ ...good, 'x-tenant': 'undecided' })).toBe(401);
    expect(await ask({ ...bearer('x'), ...tenant })).toBe(401);
    await running.close();
  });

  it('is asked also when it is put there while the application runs', async () => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
      controllers: [OrdersController],
    });
    const good = bearer(issuer.token(key, 'RS256'));
    const ask = async () => (await call(`${running.url}/orders`, good)).status;
    expect(await ask()).toBe(200);
    const replaced = jest.spyOn(JwtStrategy.prototype, 'authenticate').mockImplementation(function (this: JwtStrategy) {
      this.fail('nobody', 401);
    });
    expect(await ask()).toBe(401);
    replaced.mockRestore();
    await running.close();
  });
});
