import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ExecutionContext, Logger } from '@nestjs/common';
import { AuthError } from '../../../src/model/errors.js';
import { AuthGuard } from '../../../src/nest/auth.guard.js';
import { OptionalAuth, Public } from '../../../src/nest/decorators.js';
import { JwtStrategy } from '../../../src/nest/jwt.strategy.js';
import { ConnectionExpiry } from '../../../src/nest/transports/connection-expiry.js';
import type { RequirementChecker } from '../../../src/nest/routes/requirement-checker.js';
import { AuthEvents } from '../../../src/nest/auth-events.js';
import type { RouteNames } from '../../../src/nest/routes/route-names.js';
import { RouteMetadata } from '../../../src/nest/routes/route-metadata.js';
import { newKey, signToken } from '../../support/local-issuer.js';
import { verifierOf } from '../../support/verifier.js';
import { fromBearerHeader } from '../../../src/options/token-places.js';

const [ISSUER, AUDIENCE] = ['https://issuer.example.com', 'https://api.example.com'];
const key = newKey();
const verifier = verifierOf({
  issuer: ISSUER,
  audience: AUDIENCE,
  keys: { from: 'static', jwks: { keys: [{ kty: 'RSA', ...key.jwk }] } },
});
const strategy = new JwtStrategy(verifier, { realm: undefined, user: undefined, tokenFrom: [fromBearerHeader()] });

// Nothing is required of anybody here.
const requirements = undefined as unknown as RequirementChecker;

beforeAll(() => {
  Logger.overrideLogger(false);
});

afterAll(() => strategy.onApplicationShutdown());

class HandlerDiscovery {
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

/** A call of this type whose first argument looks like a request with a good token. */
function callOf(type: string, handler: keyof HandlerDiscovery, written: string[] = []): [AuthGuard, ExecutionContext] {
  const exp = Math.floor(Date.now() / 1000) + 300;
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp };
  const token = signToken({ alg: 'RS256', kid: key.kid }, claims, key.privateKey);
  const response = { setHeader: (name: string) => written.push(name) };
  const args = [{ headers: { authorization: `Bearer ${token}` } }, response, {}];
  const context = {
    getType: () => type,
    getClass: () => HandlerDiscovery,
    getHandler: () => Reflect.get<HandlerDiscovery, typeof handler>(HandlerDiscovery.prototype, handler),
    getArgs: () => args,
    switchToHttp: () => ({ getRequest: () => args[0], getResponse: () => args[1], getNext: () => args[2] }),
  };
  return [
    new AuthGuard(
      strategy,
      new RouteMetadata([]),
      requirements,
      new ConnectionExpiry(Date.now, 0),
      new AuthEvents({ of: () => undefined } as unknown as RouteNames),
    ),
    context as unknown as ExecutionContext,
  ];
}

describe('AuthGuard', () => {
  it('lets a good token through that comes by http', async () => {
    const [guard, context] = callOf('http', 'closed');
    expect(await guard.canActivate(context)).toBe(true);
  });

  describe.each(['carrier-pigeon', 'rmq', ''])('asked about a call that comes by %s', (type) => {
    it.each(['closed', 'optional'] as const)(
      'refuses it at a handler that is %s, and writes to no response',
      async (handler) => {
        const written: string[] = [];
        const [guard, context] = callOf(type, handler, written);
        const outcome = await guard.canActivate(context).catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(AuthError);
        expect(outcome).toMatchObject({ code: 'TOKEN_MISSING', detail: { transport: type } });
        expect(written).toEqual([]);
      },
    );

    it('lets it through at a handler that is @Public()', async () => {
      const [guard, context] = callOf(type, 'public');
      expect(await guard.canActivate(context)).toBe(true);
    });
  });
});
