import { afterEach, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { All, Controller, type ExecutionContext, type INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
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

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);
const token = () => issuer.token(key, 'ES256');

afterEach(closeApps);

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

describe.each(PLATFORMS)('On %s', (platform) => {
  const start = async (tokenFrom?: AuthOptions['tokenFrom'], prepare?: (app: INestApplication) => void) => {
    const { app, url } = await startOrders(issuer, { tokenFrom }, { platform, controllers: [EchoController], prepare });
    return { app, ask: (sent: Sent = {}) => send(url, sent) };
  };

  describe('the token', () => {
    it('is read from the Authorization header only, by default', async () => {
      const { ask } = await start();
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
      const { ask } = await start();
      const headers = { authorization: 'Bearer TOKEN', 'cache-control': 'no-cache' };
      expect(outcomeOf(await ask({ headers }))).toBe('200 alice');
    });

    it('can be set by a middleware, and can be sent in an injected request', async () => {
      const { app, ask } = await start(undefined, (given) => {
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
      const { ask } = await start([fromCookie('session')]);
      const headers = cookie === undefined ? undefined : { cookie };
      const answer = await ask({ headers });
      expect([outcomeOf(answer), answer.headers['cache-control']]).toEqual([expected, undefined]);
      expect(outcomeOf(await ask({ headers, path: '/optional' }))).toBe(
        expected === '401 TOKEN_MISSING' ? '200 guest' : expected,
      );
    });

    it('is read instead of the header, if the header is not listed', async () => {
      const { ask } = await start([fromCookie('session')]);
      expect(outcomeOf(await ask({ headers: { authorization: 'Bearer TOKEN' } }))).toBe('401 TOKEN_MISSING');
    });

    const HOST = 'api.example.com';
    const EVIL = 'https://evil.example.org';
    const APP = 'https://app.example.com';
    it.each<[string, Record<string, string>, number, number]>([
      ['POST', { 'sec-fetch-site': 'same-origin', origin: `https://${HOST}` }, 200, 403],
      ['POST', { 'sec-fetch-site': 'cross-site', origin: EVIL }, 403, 403],
      ['POST', { 'sec-fetch-site': 'same-site', origin: APP }, 403, 200],
      ['POST', {}, 200, 200],
      ['DELETE', { origin: EVIL }, 403, 403],
      ['GET', { 'sec-fetch-site': 'cross-site', origin: EVIL }, 200, 200],
    ])('sent with %s by a page with %j answers %d; with `origins` %d', async (method, page, byHost, byOrigins) => {
      const headers = { host: HOST, cookie: 'session=TOKEN', ...page };
      for (const [origins, expected] of [[[], byHost] as const, [[APP], byOrigins] as const]) {
        const { ask } = await start([fromBearerHeader(), fromCookie('session', { origins })]);
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
    const { ask } = await start([fromFormBody()]);
    expect(outcomeOf(await ask(sent))).toBe(expected);
  });

  describe('a token in the query', () => {
    it.each([
      ['/closed?a=1&access_token=TOKEN', '200 alice'],
      ['/closed?access_token=x', '401 TOKEN_MALFORMED'],
      ['/closed', '401 TOKEN_MISSING'],
      ['/optional', '200 guest'],
    ])('is read, and no response may be cached: %s: %s', async (path, expected) => {
      const { ask } = await start([fromQuery()]);
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

    it.each([
      [undefined, '401 TOKEN_MISSING', '200 guest'],
      ['TOKEN', '200 alice', '200 alice'],
      ['Bearer TOKEN', '200 alice', '200 alice'],
      ['Basic TOKEN', '401 SCHEME_UNSUPPORTED', '401 SCHEME_UNSUPPORTED'],
    ])('can return %p: %s, and %s on an optional route', async (sent, expected, optional) => {
      const { ask } = await start([reader]);
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
