import { afterAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest, type RequestListener } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { createServer as createSecureServer, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { All, Controller, type ExecutionContext, type INestApplication } from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type AuthOptions,
  CurrentUser,
  fromBearerHeader,
  fromCookie,
  fromFormBody,
  fromQuery,
  OptionalAuth,
  Public,
} from '../../src/index.js';
import { type Answer, bearer, closeApps, PLATFORMS } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { startOrders } from '../support/orders-app.js';
import { rawHttp1, rawHttp2 } from '../support/raw-http.js';
import { selfSigned } from '../support/self-signed.js';

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);
const token = () => issuer.token(key, 'ES256');

afterAll(closeApps);

@Controller()
class EchoController {
  @All('closed')
  closed(@CurrentUser('sub') sub: string) {
    return { sub: sub as string | undefined };
  }

  @All('optional')
  @OptionalAuth()
  optional(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
  }

  @All('public')
  @Public()
  public() {
    return {};
  }
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly form?: string;
}

/** Sends a request with exactly these headers, including `Host`. Replaces `TOKEN` by a valid token. */
function send(url: string, sent: Sent): Promise<Answer> {
  const filled = JSON.parse(JSON.stringify(sent).replaceAll('TOKEN', token())) as Sent;
  const { method = 'GET', path = '/closed', headers = {}, form } = filled;
  const type = 'application/x-www-form-urlencoded';
  const body = form === undefined ? {} : { 'content-type': type, 'content-length': String(form.length) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url + path, { method, headers: { ...body, ...headers }, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed, text });
      });
      response.on('error', reject);
    });
    request.on('error', reject).end(form);
  });
}

const outcomeOf = ({ status, body }: Answer) => `${String(status)} ${String(body.code ?? body.sub)}`;

/** Shares what is created for the same key, such as an application that several tests call. */
function oncePerKey<Key, Value>(create: (key: Key) => Value): (key: Key) => Value {
  const created = new Map<Key, Value>();
  return (key) => {
    const value = created.get(key) ?? create(key);
    created.set(key, value);
    return value;
  };
}

const COOKIE_OR_HEADER = [fromCookie('session'), fromBearerHeader()];
const COOKIE = [fromCookie('session')];
const FORM = [fromFormBody()];
const QUERY = [fromQuery()];

type RawRequest = typeof rawHttp1;

const SERVERS: readonly [string, Parameters<typeof startOrders>[2], RawRequest][] = [
  ['express', { platform: 'express' }, rawHttp1],
  ['fastify', { platform: 'fastify' }, rawHttp1],
  ['fastify over HTTP/2', { adapter: () => new FastifyAdapter({ http2: true }) as never }, rawHttp2],
];

describe.each(SERVERS)('Several Authorization fields on %s', (_name, server, request) => {
  const start = oncePerKey((tokenFrom: AuthOptions['tokenFrom']) =>
    startOrders(issuer, { tokenFrom }, { ...server, controllers: [EchoController] }),
  );
  const outcomes = async (tokenFrom: AuthOptions['tokenFrom'], values: readonly string[]) => {
    const { url } = await start(tokenFrom);
    const fields = values.map((value) => ['authorization', value.replace('TOKEN', token())] as const);
    const bodies = ['/closed', '/optional'].map((path) => request(url, path, fields));
    return (await Promise.all(bodies)).map((body) => {
      const { code, sub } = JSON.parse(body) as Record<string, unknown>;
      return code ?? sub;
    });
  };

  it.each<[string[], string[]]>([
    [
      ['', 'x'],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['x', ''],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['', ''],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['', '', ''],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['', 'Bearer TOKEN'],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['Bearer TOKEN', ''],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [
      ['Bearer TOKEN', 'Bearer TOKEN'],
      ['TOKEN_MULTIPLE', 'TOKEN_MULTIPLE'],
    ],
    [[''], ['TOKEN_MISSING', 'guest']],
    [['Bearer TOKEN'], ['alice', 'alice']],
  ])('with the values %j answer a closed and an optional route with %j', async (values, expected) => {
    for (const tokenFrom of [undefined, COOKIE_OR_HEADER]) expect(await outcomes(tokenFrom, values)).toEqual(expected);
  });

  it('are ignored if the header is no place of the token', async () => {
    expect(await outcomes(COOKIE, ['', 'x'])).toEqual(['TOKEN_MISSING', 'guest']);
  });
});

const TLS = selfSigned('127.0.0.1');

class SecureExpressAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createSecureServer(TLS, this.getInstance<RequestListener>());
  }
}

/** Sends a cookie from a page of this origin. Returns the outcome. */
type SendFrom = (url: string, headers: Record<string, string>) => Promise<string>;

const sendOverHttps: SendFrom = async (url, headers) => {
  const request = httpsRequest(url, { method: 'POST', headers, agent: false, ca: TLS.cert }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return parsedOutcome(await text(response));
};

const sendOverHttp2: SendFrom = async (url, headers) => {
  const session = connectHttp2(url, { ca: TLS.cert });
  const body = await text(session.request({ ':method': 'POST', ':path': new URL(url).pathname, ...headers }).end());
  session.close();
  return parsedOutcome(body);
};

const sendThroughProxy: SendFrom = async (url, headers) =>
  outcomeOf(
    await send(url.replace(/\/closed$/, ''), { method: 'POST', headers: { ...headers, 'x-forwarded-proto': 'https' } }),
  );

const parsedOutcome = (body: string) => {
  const { code, sub, statusCode = 200 } = JSON.parse(body) as Record<string, unknown>;
  return `${String(statusCode)} ${String(code ?? sub)}`;
};

describe.each<[string, Parameters<typeof startOrders>[2], SendFrom, boolean]>([
  ['Express with TLS', { adapter: () => new SecureExpressAdapter() as never }, sendOverHttps, true],
  ['Fastify with TLS', { adapter: () => new FastifyAdapter({ https: TLS }) as never }, sendOverHttps, true],
  [
    'Fastify with TLS and HTTP/2',
    { adapter: () => new FastifyAdapter({ https: TLS, http2: true }) as never },
    sendOverHttp2,
    true,
  ],
  [
    'Express behind a trusted proxy',
    { prepare: (app) => void (app as INestApplication & NestExpressApplication).set('trust proxy', 1) },
    sendThroughProxy,
    true,
  ],
  [
    'Fastify behind a trusted proxy',
    { adapter: () => new FastifyAdapter({ trustProxy: true }) as never },
    sendThroughProxy,
    true,
  ],
  ['Express behind another proxy', { platform: 'express' }, sendThroughProxy, false],
  ['Fastify behind another proxy', { platform: 'fastify' }, sendThroughProxy, false],
])('A cookie on %s', (_name, server, sendFrom, knowsScheme) => {
  it('is accepted from a page of the same scheme, and of http only if the scheme is unknown', async () => {
    const options = { tokenFrom: [fromCookie('session')] };
    const { url } = await startOrders(issuer, options, { ...server, controllers: [EchoController] });
    const address = new URL(url);
    if (sendFrom !== sendThroughProxy) address.protocol = 'https';
    const { host } = address;
    const sendFromPage = (origin: string) =>
      sendFrom(`${address.origin}/closed`, {
        origin,
        cookie: `session=${token()}`,
        ...(sendFrom !== sendOverHttp2 && { host }),
      });
    expect(await sendFromPage(`https://${host}`)).toBe('200 alice');
    expect(await sendFromPage(`http://${host}`)).toBe(knowsScheme ? '403 ORIGIN_UNTRUSTED' : '200 alice');
    expect(await sendFromPage('https://evil.example.org')).toBe('403 ORIGIN_UNTRUSTED');
  });
});

describe.each(PLATFORMS)('On %s', (platform) => {
  const launch = async (tokenFrom?: AuthOptions['tokenFrom'], prepare?: (app: INestApplication) => void) => {
    const { app, url } = await startOrders(issuer, { tokenFrom }, { platform, controllers: [EchoController], prepare });
    return { app, ask: (sent: Sent = {}) => send(url, sent) };
  };
  const start = oncePerKey((tokenFrom: AuthOptions['tokenFrom']) => launch(tokenFrom));

  describe('the token', () => {
    it('is read from the Authorization header only, by default', async () => {
      const { ask } = await start(undefined);
      const elsewhere = {
        method: 'POST',
        path: '/closed?access_token=TOKEN',
        headers: { cookie: 'access_token=TOKEN; token=TOKEN' },
        form: 'access_token=TOKEN',
      };
      expect(outcomeOf(await ask(elsewhere))).toBe('401 TOKEN_MISSING');
      expect(outcomeOf(await ask({ ...elsewhere, path: '/optional?access_token=TOKEN' }))).toBe('200 guest');
      const headers = { ...elsewhere.headers, authorization: 'Bearer TOKEN' };
      const answer = await ask({ ...elsewhere, headers });
      expect([outcomeOf(answer), answer.headers['cache-control']]).toEqual(['200 alice', undefined]);
    });

    it('is not sent twice because another header has a name of the same length', async () => {
      const { ask } = await start(undefined);
      const headers = { authorization: 'Bearer TOKEN', 'cache-control': 'no-cache' };
      expect(outcomeOf(await ask({ headers }))).toBe('200 alice');
    });

    it('can be set by a middleware, and can be sent in an injected request', async () => {
      const { app, ask } = await launch(undefined, (given) => {
        given.use((request: { headers: Record<string, string> }, _response: unknown, next: () => void) => {
          if (request.headers['x-token'] !== undefined)
            request.headers.authorization = `Bearer ${request.headers['x-token']}`;
          next();
        });
      });
      expect(outcomeOf(await ask({ headers: { 'x-token': 'TOKEN' } }))).toBe('200 alice');
      if (platform === 'express') return;
      const inject = async (headers: object) =>
        (await (app as NestFastifyApplication).inject({ url: '/closed', headers: headers as never })).statusCode;
      const { authorization } = bearer(token());
      expect(await inject({ authorization })).toBe(200);
      expect(await inject({ authorization: [authorization, authorization] })).toBe(400);
    });
  });

  describe('a token in a cookie', () => {
    it.each([
      [undefined, '401 TOKEN_MISSING'],
      ['a=1; session="TOKEN"; b=2', '200 alice'],
      ['session=x', '401 TOKEN_MALFORMED'],
    ])('is read from the header %j: %s', async (cookie, expected) => {
      const { ask } = await start(COOKIE);
      const headers = cookie === undefined ? undefined : { cookie };
      const answer = await ask({ headers });
      expect([outcomeOf(answer), answer.headers['cache-control']]).toEqual([expected, undefined]);
      expect(outcomeOf(await ask({ headers, path: '/optional' }))).toBe(
        expected === '401 TOKEN_MISSING' ? '200 guest' : expected,
      );
    });

    it('is read instead of the header, if the header is not listed', async () => {
      const { ask } = await start(COOKIE);
      expect(outcomeOf(await ask({ headers: { authorization: 'Bearer TOKEN' } }))).toBe('401 TOKEN_MISSING');
    });

    const HOST = 'api.example.com';
    const EVIL = 'https://evil.example.org';
    const APP = 'https://app.example.com';
    const BY_HOST = [fromBearerHeader(), fromCookie('session', { origins: [] })];
    const BY_ORIGINS = [fromBearerHeader(), fromCookie('session', { origins: [APP] })];
    it.each<[string, Record<string, string>, number, number]>([
      ['POST', { 'sec-fetch-site': 'same-origin', origin: `https://${HOST}` }, 200, 403],
      ['POST', { 'sec-fetch-site': 'cross-site', origin: EVIL }, 403, 403],
      ['POST', { 'sec-fetch-site': 'same-site', origin: APP }, 403, 200],
      ['POST', {}, 200, 200],
      ['DELETE', { origin: EVIL }, 403, 403],
      ['GET', { 'sec-fetch-site': 'cross-site', origin: EVIL }, 200, 200],
    ])('sent with %s by a page with %j answers %d; with `origins` %d', async (method, page, byHost, byOrigins) => {
      const headers = { host: HOST, cookie: 'session=TOKEN', ...page };
      for (const [tokenFrom, expected] of [[BY_HOST, byHost] as const, [BY_ORIGINS, byOrigins] as const]) {
        const { ask } = await start(tokenFrom);
        for (const path of ['/closed', '/optional']) {
          const { status, body, headers: answered } = await ask({ method, headers, path });
          expect([path, status]).toEqual([path, expected]);
          if (expected === 403)
            expect([body.code, answered['www-authenticate']]).toEqual(['ORIGIN_UNTRUSTED', 'Bearer']);
        }
        expect((await ask({ method, headers, path: '/public' })).status).toBe(200);
      }
    });

    it('is not checked for its origin if the token is in the header, which other sites cannot set', async () => {
      const { ask } = await start([fromBearerHeader(), fromCookie('session')]);
      const headers = { authorization: 'Bearer TOKEN', origin: EVIL, cookie: 'other=1' };
      expect(outcomeOf(await ask({ method: 'POST', headers }))).toBe('200 alice');
    });
  });

  it.each<[Sent, string]>([
    [{ method: 'POST', form: 'a=1&access_token=TOKEN&b=2' }, '200 alice'],
    [
      { method: 'POST', form: '{"access_token":"TOKEN"}', headers: { 'content-type': 'application/json' } },
      '401 TOKEN_MISSING',
    ],
  ])('a token is read from a form body (RFC 6750 §2.2): %j: %s', async (sent, expected) => {
    const { ask } = await start(FORM);
    expect(outcomeOf(await ask(sent))).toBe(expected);
  });

  describe('a token in the query', () => {
    it.each([
      ['/closed?a=1&access_token=TOKEN', '200 alice'],
      ['/closed?access_token=x', '401 TOKEN_MALFORMED'],
      ['/closed', '401 TOKEN_MISSING'],
      ['/optional', '200 guest'],
    ])('is read, and no response may be cached: %s: %s', async (path, expected) => {
      const { ask } = await start(QUERY);
      const answer = await ask({ path });
      expect([outcomeOf(answer), answer.headers['cache-control']]).toEqual([expected, 'no-store']);
    });

    it('makes a refusal for another place uncacheable as well', async () => {
      const { ask } = await start([fromBearerHeader(), fromCookie('session'), fromQuery()]);
      const path = '/closed?access_token=TOKEN';
      for (const authorization of ['Basic x', ['Bearer a', 'Bearer b']])
        expect((await ask({ path, headers: { authorization } })).headers['cache-control']).toBe('no-store');
      const headers = { cookie: 'session=x', 'sec-fetch-site': 'cross-site' };
      const answer = await ask({ method: 'POST', path, headers });
      expect([answer.body.code, answer.headers['cache-control']]).toEqual(['ORIGIN_UNTRUSTED', 'no-store']);
    });
  });

  describe('a function', () => {
    const reader = (context: ExecutionContext) =>
      context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>().headers['x-token'];
    const READER = [reader];

    it.each([
      [undefined, '401 TOKEN_MISSING', '200 guest'],
      ['TOKEN', '200 alice', '200 alice'],
      ['Bearer TOKEN', '200 alice', '200 alice'],
      ['Basic TOKEN', '401 SCHEME_UNSUPPORTED', '401 SCHEME_UNSUPPORTED'],
    ])('can return %p: %s, and %s on an optional route', async (sent, expected, optional) => {
      const { ask } = await start(READER);
      const headers = sent === undefined ? undefined : { 'x-token': sent };
      expect(outcomeOf(await ask({ headers }))).toBe(expected);
      expect(outcomeOf(await ask({ headers, path: '/optional' }))).toBe(optional);
    });

    it('that throws is a fault of the application (500)', async () => {
      const { ask } = await start([
        () => {
          throw new Error('of the application');
        },
      ]);
      expect((await ask()).status).toBe(500);
    });
  });

  describe('several places', () => {
    const ALL = [fromBearerHeader(), fromCookie('session'), fromFormBody(), fromQuery(), () => undefined];
    const PLACES: Record<string, Sent> = {
      header: { headers: { authorization: 'Bearer TOKEN' } },
      cookie: { headers: { cookie: 'session=TOKEN' } },
      form: { method: 'POST', form: 'access_token=TOKEN' },
      query: { path: '?access_token=TOKEN' },
    };
    const names = Object.keys(PLACES);
    const pairs = names.flatMap((one, index) => names.slice(index).map((two) => [one, two] as const));

    it.each(pairs)('accept a token in one of them only: %s and %s', async (one, two) => {
      const { ask } = await start(ALL);
      const sent = { ...PLACES[one], ...PLACES[two], headers: { ...PLACES[one]?.headers, ...PLACES[two]?.headers } };
      for (const route of ['/closed', '/optional']) {
        const answer = await ask({ ...sent, path: `${route}${sent.path ?? ''}` });
        expect(outcomeOf(answer)).toBe(one === two ? '200 alice' : '400 TOKEN_MULTIPLE');
        if (one !== two) expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
      }
    });
  });
});
