import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import {
  type ArgumentsHost,
  Catch,
  ConsoleLogger,
  Controller,
  type ExceptionFilter,
  ForbiddenException,
  HttpException,
  type INestApplication,
  ServiceUnavailableException,
  Sse,
  UnauthorizedException,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { interval, map } from 'rxjs';
import { AuthError, type AuthErrorDetail, AuthGuard } from '../../src/index.js';
import { bearer, closeApps, PLATFORMS } from '../support/app.js';
import { CONTROL_TEXT, hasControls } from '../support/catching.js';
import { until } from '../support/until.js';
import { holdTime, pass } from '../support/held-time.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';
import { type OrdersOptions, startOrders } from '../support/orders-app.js';

const key = newKey();
const issuer = LocalIssuer.forFile([key]);
const token = (claims: Record<string, unknown> = {}, by = key, header: Record<string, unknown> = {}) =>
  issuer.token(by, 'RS256', claims, header);

afterEach(closeApps);

interface Reply {
  status(code: number): Reply;
  send(body: unknown): void;
}

const reply = (host: ArgumentsHost, status: number, body: unknown) => {
  host.switchToHttp().getResponse<Reply>().status(status).send(body);
};

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

const throwing = (error: unknown) => (): never => {
  throw error;
};
const rejecting = (error: unknown) => async () => {
  await Promise.resolve();
  throw error;
};

describe.each(PLATFORMS)('A refusal on %s', (platform) => {
  it.each([
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
  ])('keeps its challenge under an exception filter of the application: %s', async (_name, filter, body) => {
    const prepare = (app: INestApplication) => app.useGlobalFilters(filter());
    const { ask } = await startOrders(issuer, {}, { platform, prepare });
    const answer = await ask(bearer(token({ exp: 1_000 })));
    expect([answer.status, answer.body]).toEqual([401, body]);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="invalid_token", error_description="The access token expired"',
    );
  });

  it('can become 403 by an exception filter, for clients that expect it', async () => {
    const prepare = (app: INestApplication) =>
      app.useGlobalFilters(new Answer403(app.get(HttpAdapterHost).httpAdapter));
    const { ask } = await startOrders(issuer, {}, { platform, prepare });
    const answer = await ask();
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, 'Bearer']);
    expect(answer.body).toEqual({
      statusCode: 403,
      message: 'An access token is required',
      error: 'Forbidden',
      code: 'TOKEN_MISSING',
    });
  });

  it('has no Retry-After if it is a 401, and a bare challenge if no token was sent (RFC 6750 §3.1)', async () => {
    const { ask } = await startOrders(issuer, {}, { platform });
    for (const headers of [{}, bearer(token({ exp: 1_000 }))])
      expect((await ask(headers)).headers).not.toHaveProperty('retry-after');
    expect((await ask()).headers['www-authenticate']).toBe('Bearer');
  });

  it('is 503 with Retry-After and without a challenge while the issuer is down', async () => {
    let now = Date.now();
    const other = await LocalIssuer.start([key]);
    const handlers = new Map(other.handlers);
    for (const path of handlers.keys()) other.handlers.set(path, ({ socket }) => socket.destroy());
    const { ask } = await startOrders(other, { clock: () => now }, { platform });
    const headers = bearer(other.token(key, 'RS256'));
    const answer = await ask(headers);
    expect(answer.body).toEqual({
      statusCode: 503,
      error: 'Service Unavailable',
      message: "The issuer's signing keys are temporarily unavailable",
      code: 'KEYS_UNAVAILABLE',
    });
    expect([answer.status, answer.headers['retry-after'], answer.headers['www-authenticate']]).toStrictEqual([
      503,
      '1',
      undefined,
    ]);
    for (const [path, handler] of handlers) other.handlers.set(path, handler);
    now += 1_000;
    expect((await ask(headers)).status).toBe(200);
    await other.stop();
  });
});

describe('The log', () => {
  it('has one debug line for each refusal, with code and facts, and never the token', async () => {
    const logger = new LogRecorder();
    const { ask } = await startOrders(issuer, {}, { logger });
    const secret = 'secret-claim-value';
    const tokens = {
      TOKEN_EXPIRED: token({ exp: 1_000, secret }),
      AUDIENCE_MISMATCH: token({ aud: secret }),
      CLAIM_INVALID: token({ sub: { secret } }),
      KEY_UNKNOWN: token({ secret }, newKey(), { kid: 'unknown\nFAKE LOG LINE' }),
      ISSUER_UNTRUSTED: token({ iss: `https://evil.example.com/${'x'.repeat(5_000)}` }),
      TOKEN_MALFORMED: `${token()}!`,
    };
    for (const sent of Object.values(tokens)) await ask(bearer(sent), `orders?access_token=${sent}`);
    await ask();
    expect(logger.lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual(
      [...Object.keys(tokens), 'TOKEN_MISSING'].map((code) => `debug: Refused OrdersController.list: ${code}`),
    );
    for (const line of logger.lines) {
      expect(line).not.toMatch(new RegExp(`${secret}|eyJ|\n`));
      expect(line.length).toBeLessThan(600);
    }
    expect(logger.lines[3]).toContain('"kid":"unknown\\nFAKE LOG LINE"');
  });

  it('shortens values of the token to 128 characters', async () => {
    const logger = new LogRecorder();
    const { ask } = await startOrders(issuer, {}, { logger });
    expect((await ask(bearer(token({}, key, { kid: 'x'.repeat(5_000) })))).body.code).toBe('KEY_UNKNOWN');
    expect(logger.lines).toEqual([expect.stringContaining(`"kid":"${'x'.repeat(128)}…"`)]);
  });

  it('has one warning with the reason if keys cannot be fetched, however many requests wait for them', async () => {
    const logger = new LogRecorder();
    const other = await LocalIssuer.start([key]);
    other.json('/.well-known/openid-configuration', () => ({ issuer: 'https://else.example.com', jwks_uri: 'x' }));
    const { ask } = await startOrders(other, {}, { logger });
    const headers = bearer(other.token(key, 'RS256'));
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(headers)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(logger.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('is the metadata of "https://else.example.com"'),
    ]);
    await other.stop();
  });

  it('has lines of printable text only, whatever a token, a key set, metadata and a client contain', async () => {
    const logger = new LogRecorder();
    const other = await LocalIssuer.start([key]);
    const signed = (claims = {}, header = {}) =>
      bearer(other.token(key, 'RS256', { client_id: CONTROL_TEXT, ...claims }, header));
    const startOther = (options: OrdersOptions) => startOrders(other, options, { logger });
    // Metadata, then a content type, then an unusable key beside a usable one.
    other.json('/.well-known/openid-configuration', () => ({ issuer: CONTROL_TEXT, jwks_uri: CONTROL_TEXT }));
    const { ask: askLost } = await startOther({});
    expect((await askLost(signed())).status).toBe(503);
    other.json('/.well-known/openid-configuration', () => ({ issuer: other.url, jwks_uri: `${other.url}/jwks` }));
    other.handlers.set('/jwks', (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/\u009b31m' }).end('{}'),
    );
    const { ask: askBroken } = await startOther({});
    expect((await askBroken(signed())).status).toBe(503);
    other.json('/jwks', () => ({ keys: [key.jwk, { ...key.jwk, use: 'enc', kid: CONTROL_TEXT }] }));
    const { ask } = await startOther({ require: { scopes: ['x'], reportOnly: true }, reportOnly: ['audience'] });
    expect((await ask(signed({ aud: 'x' }))).status).toBe(200);
    for (const [claims, header] of [
      [{ iss: CONTROL_TEXT }, {}],
      [{}, { kid: CONTROL_TEXT }],
      [{}, { kid: `${CONTROL_TEXT}2` }],
    ] as const)
      expect((await ask(signed(claims, header))).status).toBe(401);
    expect(logger.lines).toHaveLength(11);
    expect(logger.lines.filter(hasControls)).toEqual([]);
    await other.stop();
  });

  it('has no refusals if the logger omits debug messages', async () => {
    const printed: unknown[] = [];
    class Recorder extends ConsoleLogger {
      protected override printMessages(messages: unknown[]): void {
        printed.push(...messages);
      }
    }
    const { ask } = await startOrders(issuer, {}, { logger: new Recorder({ logLevels: ['warn'] }) });
    expect((await ask()).status).toBe(401);
    expect(printed).toEqual([]);
  });
});

describe.each(PLATFORMS)('An application on %s', (platform) => {
  const askWith = async (options: OrdersOptions, logger?: LogRecorder) =>
    (await startOrders(issuer, options, { platform, logger })).ask(bearer(token()));

  describe.each(['user', 'validate'] as const)('whose `%s` throws', (option) => {
    it.each([
      ['an Error', new Error('the database is down'), 500],
      ['undefined', undefined, 500],
      ['null', null, 500],
      ['a string', 'the database is down', 500],
      ['an HttpException', new HttpException('teapot', 418), 418],
      ['a ServiceUnavailableException', new ServiceUnavailableException('no database'), 503],
    ])('%s answers with that error, never with a fault of the token', async (_what, error, status) => {
      let fails: () => unknown = throwing(error);
      const { ask } = await startOrders(issuer, { [option]: () => fails() }, { platform });
      for (fails of [throwing(error), rejecting(error)]) {
        const answer = await ask(bearer(token()));
        expect([answer.status, answer.headers['www-authenticate']]).toStrictEqual([status, undefined]);
        expect(answer.text).not.toContain('the database is down');
      }
    });

    it.each([undefined, null, 'the database is down'])(
      '%p is an Error in handleRequest, so that a guard of the Nest docs does not answer 401',
      async (thrown) => {
        const errors: unknown[] = [];
        class DocumentedGuard extends AuthGuard {
          override handleRequest<User>(error: Error | undefined, user: User): User {
            errors.push(error);
            if (error || !user) throw error ?? new UnauthorizedException();
            return user;
          }
        }
        expect((await askWith({ [option]: throwing(thrown), guard: DocumentedGuard })).status).toBe(500);
        expect(errors).toEqual([expect.any(Error)]);
        expect(errors[0]).toMatchObject({ message: expect.stringContaining('not an Error'), cause: thrown });
      },
    );

    it('an UnauthorizedException answers 401 with a challenge (RFC 9110 §15.5.2)', async () => {
      const answer = await askWith({ [option]: throwing(new UnauthorizedException('who are you?')) });
      expect([answer.status, answer.headers['www-authenticate'], answer.body.message]).toEqual([
        401,
        'Bearer',
        'who are you?',
      ]);
    });

    const circle: Record<string, unknown> = {};
    circle.self = circle;
    it.each([
      ['a bigint', { id: 1n }, '{"id":"1"}'],
      ['a circle', circle, '(not serializable)'],
      ['a toJSON that throws', { toJSON: throwing(new Error('x')) }, '(not serializable)'],
    ] satisfies [string, AuthErrorDetail, string][])(
      'an AuthError with %s in its detail answers with its code and logs one line',
      async (_what, detail, facts) => {
        const logger = new LogRecorder();
        const answer = await askWith({ [option]: throwing(new AuthError('POLICY_DENIED', detail)) }, logger);
        expect([answer.status, answer.body.code]).toEqual([403, 'POLICY_DENIED']);
        expect(answer.headers['www-authenticate']).toBe(
          'Bearer error="insufficient_scope", error_description="Access is denied"',
        );
        expect(logger.lines).toEqual([`debug: Refused OrdersController.list: POLICY_DENIED ${facts}`]);
      },
    );

    it.each([
      [undefined, '5'],
      [17, '17'],
    ])('an AuthError of status 503 answers with Retry-After (retryAfterSeconds: %p)', async (seconds, retryAfter) => {
      const error = new AuthError('KEYS_UNAVAILABLE', {}, { retryAfterSeconds: seconds });
      const { status, headers } = await askWith({ [option]: rejecting(error) });
      expect([status, headers['retry-after'], headers['www-authenticate']]).toStrictEqual([503, retryAfter, undefined]);
    });
  });
});

describe.each(PLATFORMS)('An event stream on %s', (platform) => {
  holdTime();
  let calls = 0;

  @Controller('streams')
  class StreamsController {
    @Sse('late')
    late() {
      calls += 1;
      return new Promise<never>(() => undefined);
    }

    @Sse('busy')
    busy() {
      return interval(100).pipe(map((count) => ({ data: String(count) })));
    }
  }

  const start = () =>
    startOrders(issuer, { realm: 'orders', clockToleranceSeconds: 0 }, { platform, controllers: [StreamsController] });
  const shortLived = () => bearer(token({ exp: Math.floor(Date.now() / 1000) + 10 }));

  it('that has not started when the token expires is answered 401 with realm and challenge', async () => {
    const { ask } = await start();
    const answer = ask(shortLived(), 'streams/late');
    await until(() => calls === 1);
    await pass(10);
    const { status, headers, body } = await answer;
    expect([status, body.code]).toEqual([401, 'TOKEN_EXPIRED']);
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="orders", error="invalid_token", error_description="The access token expired"',
    );
  });

  it('that has started ends with an exception event, although its handler continues to emit', async () => {
    const { url } = await start();
    const request = get(`${url}/streams/busy`, { headers: shortLived(), agent: false });
    const [stream] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const ended = once(stream, 'end');
    // Some versions of Nest send the headers before the first event.
    await until(() => text.includes('data: 0'));
    await pass(10);
    await ended;
    expect(text).toMatch(/data: 0\n/);
    expect(text).toMatch(/event: exception\ndata: \{.*"code":"TOKEN_EXPIRED".*\}\n\n$/);
  });
});
