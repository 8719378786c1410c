import { describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  ConsoleLogger,
  type ExceptionFilter,
  ForbiddenException,
  HttpException,
  type LoggerService,
  UnauthorizedException,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { AuthError, type AuthErrorDetail, AuthModule, type AuthOptions } from '../../src/index.js';
import { bearer, call, PLATFORMS, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const AUDIENCE = 'https://api.example.com';
const key = newKey();
const issuer = LocalIssuer.forFile([key]);

interface Reply {
  status(code: number): Reply;
  send(body: unknown): void;
}

const reply = (host: ArgumentsHost, status: number, body: unknown) => {
  host.switchToHttp().getResponse<Reply>().status(status).send(body);
};

@Catch()
class CatchAll implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost) {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    reply(host, status, { mine: true, status });
  }
}

@Catch(HttpException)
class CatchHttp implements ExceptionFilter {
  catch(error: HttpException, host: ArgumentsHost) {
    reply(host, error.getStatus(), { mine: true, response: error.getResponse() });
  }
}

@Catch(AuthError)
class CatchAuthError implements ExceptionFilter {
  catch({ code, status, detail, message }: AuthError, host: ArgumentsHost) {
    reply(host, status, { mine: true, code, detail, message });
  }
}

@Catch(UnauthorizedException)
class Answer403 extends BaseExceptionFilter {
  override catch(error: UnauthorizedException, host: ArgumentsHost) {
    const body = { ...(error.getResponse() as object), statusCode: 403, error: 'Forbidden' };
    super.catch(new ForbiddenException(body), host);
  }
}

/** A logger that keeps what it is given, as `level: message`. */
function recorder(): { logger: LoggerService; lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (message: unknown) => {
    // The table of routes, at start, is no refusal.
    if (!String(message).startsWith('Routes:')) lines.push(`${level}: ${String(message)}`);
  };
  return {
    logger: { log: () => undefined, debug: write('debug'), warn: write('warn'), error: write('error') },
    lines,
  };
}

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

describe.each(PLATFORMS)('a refusal on %s', (platform) => {
  const start = (options: Partial<AuthOptions> = {}, filter?: () => ExceptionFilter, logger?: LoggerService) =>
    startApp(
      platform,
      {
        imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions)],
        controllers: [OrdersController],
      },
      { logger: logger ?? false, prepare: (app) => filter && app.useGlobalFilters(filter()) },
    );
  const expired = () => issuer.token(key, 'RS256', { exp: 1_000 });
  const challenge = 'Bearer error="invalid_token", error_description="The access token expired"';

  it.each([
    ['@Catch()', () => new CatchAll(), { mine: true, status: 401 }],
    [
      '@Catch(HttpException)',
      () => new CatchHttp(),
      {
        mine: true,
        response: {
          statusCode: 401,
          message: 'The access token expired',
          error: 'Unauthorized',
          code: 'TOKEN_EXPIRED',
        },
      },
    ],
    [
      '@Catch(AuthError)',
      () => new CatchAuthError(),
      { mine: true, code: 'TOKEN_EXPIRED', detail: { claim: 'exp' }, message: 'The access token expired' },
    ],
  ])('carries its challenge under a filter of the application, %s', async (_name, filter, body) => {
    const running = await start({}, filter);
    const answer = await call(`${running.url}/orders`, bearer(expired()));
    expect([answer.status, answer.body]).toEqual([401, body]);
    expect(answer.headers['www-authenticate']).toBe(challenge);
    await running.close();
  });

  it('becomes 403 with a filter of five lines, for clients that are used to it', async () => {
    const running = await startApp(
      platform,
      {
        imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
        controllers: [OrdersController],
      },
      { prepare: (app) => app.useGlobalFilters(new Answer403(app.get(HttpAdapterHost).httpAdapter)) },
    );
    const answer = await call(`${running.url}/orders`);
    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({
      statusCode: 403,
      message: 'An access token is required',
      error: 'Forbidden',
      code: 'TOKEN_MISSING',
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    await running.close();
  });

  it('is bare when no token was sent and no realm was set (RFC 6750 §3.1)', async () => {
    const running = await start();
    expect((await call(`${running.url}/orders`)).headers['www-authenticate']).toBe('Bearer');
    await running.close();
  });

  it('logs one line at debug level with code and facts, and never the token', async () => {
    const lines: [string, string][] = [];
    const write = (level: string) => (message: unknown) => lines.push([level, String(message)]);
    const logger: LoggerService = {
      log: () => undefined,
      debug: write('debug'),
      warn: write('warn'),
      error: write('error'),
    };
    const running = await start({}, undefined, logger);
    // What is told at start is no refusal.
    lines.length = 0;
    const secret = 'secret-claim-value';
    const tokens = [
      issuer.token(key, 'RS256', { exp: 1_000, secret }),
      issuer.token(key, 'RS256', { aud: secret }),
      issuer.token(key, 'RS256', { sub: { secret } }),
      issuer.token(newKey(), 'RS256', { secret }, { kid: 'unknown\nFAKE LOG LINE' }),
      issuer.token(key, 'RS256', { iss: `https://evil.example.com/${'x'.repeat(5_000)}` }),
      `${issuer.token(key, 'RS256')}!`,
    ];
    for (const token of tokens) await call(`${running.url}/orders?access_token=${token}`, bearer(token));
    await call(`${running.url}/orders`);
    await running.close();

    expect(lines.map(([level]) => level)).toEqual(Array<string>(tokens.length + 1).fill('debug'));
    expect(lines.map(([, line]) => line.split(' ').slice(0, 3).join(' '))).toEqual(
      [
        'TOKEN_EXPIRED',
        'AUDIENCE_MISMATCH',
        'CLAIM_INVALID',
        'KEY_UNKNOWN',
        'ISSUER_UNTRUSTED',
        'TOKEN_MALFORMED',
        'TOKEN_MISSING',
      ].map((code) => `Refused OrdersController.list: ${code}`),
    );
    for (const [, line] of lines) {
      expect(line).not.toContain(secret);
      expect(line).not.toContain('eyJ');
      expect(line).not.toContain('\n');
      expect(line.length).toBeLessThan(600);
    }
    expect(lines[3]?.[1]).toContain('"kid":"unknown\\nFAKE LOG LINE"');
  });

  it('says why keys cannot be had in one warning, however many requests it concerns', async () => {
    const warnings: string[] = [];
    const logger: LoggerService = {
      log: () => undefined,
      error: () => undefined,
      warn: (line: string) => warnings.push(line),
    };
    const other = await LocalIssuer.start([key]);
    other.json('/.well-known/openid-configuration', () => ({ issuer: 'https://else.example.com', jwks_uri: 'x' }));
    const running = await start({ issuer: other.url }, undefined, logger);
    const token = bearer(other.token(key, 'RS256'));
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(`${running.url}/orders`, token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('is the metadata of "https://else.example.com"');
    await running.close();
    await other.stop();
  });

  it('cuts what a token says of itself to 128 characters in the log', async () => {
    const { logger, lines } = recorder();
    const running = await start({}, undefined, logger);
    const token = issuer.token(key, 'RS256', {}, { kid: 'x'.repeat(5_000) });
    expect((await call(`${running.url}/orders`, bearer(token))).body.code).toBe('KEY_UNKNOWN');
    await running.close();
    expect(lines).toEqual([expect.stringContaining(`"kid":"${'x'.repeat(128)}…"`)]);
  });

  it('prints nothing where the logger leaves debug out', async () => {
    const printed: unknown[] = [];
    class Recorder extends ConsoleLogger {
      protected override printMessages(messages: unknown[]): void {
        printed.push(...messages);
      }
    }
    const logger = new Recorder({ logLevels: ['warn'] });
    const running = await start({}, undefined, logger);
    expect((await call(`${running.url}/orders`)).status).toBe(401);
    await running.close();
    expect(printed).toEqual([]);
  });

  it('is 503 with Retry-After and no challenge while the issuer is down, and none once it is back', async () => {
    let now = Date.now();
    const other = await LocalIssuer.start([key]);
    const handlers = new Map(other.handlers);
    for (const path of handlers.keys()) other.handlers.set(path, ({ socket }) => socket.destroy());
    const running = await start({ issuer: other.url, clock: () => now });
    const token = bearer(other.token(key, 'RS256'));
    const answer = await call(`${running.url}/orders`, token);
    expect(answer.body).toEqual({
      statusCode: 503,
      error: 'Service Unavailable',
      message: 'The keys of the issuer cannot be had at the moment',
      code: 'KEYS_UNAVAILABLE',
    });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.headers['www-authenticate']).toBeUndefined();
    for (const [path, handler] of handlers) other.handlers.set(path, handler);
    now += 1_000;
    expect((await call(`${running.url}/orders`, token)).status).toBe(200);
    await running.close();
    await other.stop();
  });
});

describe.each(PLATFORMS)('an application on %s', (platform) => {
  const ask = async (options: Partial<AuthOptions>, logger?: LoggerService) => {
    const running = await startApp(
      platform,
      {
        imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions)],
        controllers: [OrdersController],
      },
      { logger: logger ?? false },
    );
    const answer = await call(`${running.url}/orders`, bearer(issuer.token(key, 'RS256')));
    await running.close();
    return answer;
  };

  describe.each(['user', 'validate'] as const)('whose `%s` throws', (option) => {
    const rejecting = (error: unknown) => async () => {
      await Promise.resolve();
      throw error;
    };

    it.each([
      ['an Error', new Error('the database is down'), 500],
      ['undefined', undefined, 500],
      ['null', null, 500],
      ['a string', 'the database is down', 500],
      ['an HttpException', new HttpException('teapot', 418), 418],
    ])('%s has it answered as it is, never as a fault of the token', async (_what, error, status) => {
      for (const fails of [throwing(error), rejecting(error)]) {
        const answer = await ask({ [option]: fails });
        expect([answer.status, answer.headers['www-authenticate']]).toStrictEqual([status, undefined]);
        expect(answer.text).not.toContain('database');
      }
    });

    it('an UnauthorizedException answers 401 with a challenge', async () => {
      const answer = await ask({ [option]: throwing(new UnauthorizedException('who are you?')) });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(answer.body.message).toBe('who are you?');
    });

    const circle: Record<string, unknown> = {};
    circle.self = circle;
    it.each([
      ['a bigint', { id: 1n }, '{"id":"1"}'],
      ['a circle', circle, '(not serializable)'],
      ['a toJSON that throws', { toJSON: throwing(new Error('x')) }, '(not serializable)'],
    ] satisfies [string, AuthErrorDetail, string][])(
      'an AuthError with %s in its detail refuses all the same, and logs one line',
      async (_what, detail, facts) => {
        const { logger, lines } = recorder();
        const answer = await ask({ [option]: throwing(new AuthError('POLICY_DENIED', detail)) }, logger);
        expect([answer.status, answer.body.code]).toEqual([403, 'POLICY_DENIED']);
        expect(answer.headers['www-authenticate']).toBe(
          'Bearer error="insufficient_scope", error_description="Access is denied"',
        );
        expect(lines).toEqual([`debug: Refused OrdersController.list: POLICY_DENIED ${facts}`]);
      },
    );

    it.each([
      ['nothing', undefined, '5'],
      ['17 seconds', { retryAfterSeconds: 17 }, '17'],
    ])('STORE_UNAVAILABLE that says %s of when to come back answers 503', async (_what, when, retryAfter) => {
      const answer = await ask({ [option]: rejecting(new AuthError('STORE_UNAVAILABLE', {}, when)) });
      expect([answer.status, answer.body.code]).toEqual([503, 'STORE_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBe(retryAfter);
      expect(answer.headers['www-authenticate']).toBeUndefined();
    });
  });
});
