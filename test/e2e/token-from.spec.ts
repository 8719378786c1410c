import { afterEach, describe, expect, it } from '@jest/globals';
import { request as httpRequest } from 'node:http';
import { All, Controller, type ExecutionContext } from '@nestjs/common';
import {
  AuthModule,
  type AuthOptions,
  fromBearerHeader,
  fromCookie,
  CurrentUser,
  fromFormBody,
  OptionalAuth,
  Public,
  fromQuery,
} from '../../src/index.js';
import { type Answer, closeApps, PLATFORMS, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);

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

const FORM = 'application/x-www-form-urlencoded';

/** As a browser or any other client would send it, `Host` and all. */
function send(url: string, { method = 'GET', path = '/closed', headers = {}, form }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = form === undefined ? {} : { 'content-type': FORM, 'content-length': String(form.length) };
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

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = async (tokenFrom?: AuthOptions['tokenFrom']) => {
    const app = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: 'https://api.example.com', tokenFrom })],
      controllers: [EchoController],
    });
    return async (sent: Sent = {}) => send(app.url, sent);
  };
  const token = () => issuer.token(key, 'ES256');

  it('a token is read from the header and nowhere else by default', async () => {
    const ask = await start();
    const elsewhere = {
      method: 'POST',
      path: `/closed?access_token=${token()}`,
      headers: { cookie: `access_token=${token()}; token=${token()}` },
      form: `access_token=${token()}`,
    };
    expect(outcomeOf(await ask(elsewhere))).toBe('401 TOKEN_MISSING');
    expect(outcomeOf(await ask({ ...elsewhere, path: `/optional?access_token=${token()}` }))).toBe('200 guest');
    const headers = { ...elsewhere.headers, authorization: `Bearer ${token()}` };
    const answer = await ask({ ...elsewhere, headers });
    expect([answer.body, answer.headers['cache-control']]).toStrictEqual([{ sub: 'alice' }, undefined]);
  });

  describe('a token in a cookie', () => {
    it.each([
      ['', '401 TOKEN_MISSING'],
      ['session=TOKEN', '200 alice'],
      ['a=1; session="TOKEN"; b=2', '200 alice'],
      ['session=TOKEN; session=TOKEN', '400 TOKEN_MULTIPLE'],
      ['Session=TOKEN', '401 TOKEN_MISSING'],
      ['session=', '401 TOKEN_MISSING'],
      ['session=x', '401 TOKEN_MALFORMED'],
    ])('in the header %j is read: %s', async (text, expected) => {
      const ask = await start([fromCookie('session')]);
      const headers = text === '' ? undefined : { cookie: text.replaceAll('TOKEN', token()) };
      expect(outcomeOf(await ask({ headers }))).toBe(expected);
      expect(outcomeOf(await ask({ headers, path: '/optional' }))).toBe(
        expected === '401 TOKEN_MISSING' ? '200 guest' : expected,
      );
    });

    it('says nothing of caches', async () => {
      const ask = await start([fromBearerHeader(), fromCookie('session'), fromFormBody()]);
      const { status, headers } = await ask({ headers: { cookie: `session=${token()}` } });
      expect([status, headers['cache-control']]).toStrictEqual([200, undefined]);
    });

    it('leaves the header unread where that is not listed', async () => {
      const ask = await start([fromCookie('session')]);
      expect(outcomeOf(await ask({ headers: { authorization: `Bearer ${token()}` } }))).toBe('401 TOKEN_MISSING');
    });

    const HOST = 'api.example.com';
    it.each<[string, Record<string, string>, string, string]>([
      ['POST', { 'sec-fetch-site': 'same-origin', origin: `https://${HOST}` }, 'taken', 'refused'],
      ['POST', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.org' }, 'refused', 'refused'],
      ['POST', { 'sec-fetch-site': 'same-site', origin: 'https://app.example.com' }, 'refused', 'taken'],
      ['POST', { origin: `https://${HOST}` }, 'taken', 'refused'],
      ['POST', { origin: 'https://evil.example.org' }, 'refused', 'refused'],
      ['POST', { origin: 'https://app.example.com' }, 'refused', 'taken'],
      ['POST', { origin: 'null' }, 'refused', 'refused'],
      ['POST', {}, 'taken', 'taken'],
      ['DELETE', { origin: 'https://evil.example.org' }, 'refused', 'refused'],
      ['PUT', { origin: 'https://evil.example.org' }, 'refused', 'refused'],
      ['PATCH', { 'sec-fetch-site': 'cross-site' }, 'refused', 'refused'],
      ['GET', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.org' }, 'taken', 'taken'],
      ['HEAD', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example.org' }, 'taken', 'taken'],
    ])('sent by a page, %s with %j, is %s; with a list of origins %s', async (method, page, byHost, byList) => {
      const headers = { host: HOST, cookie: `session=${token()}`, ...page };
      for (const [origins, expected] of [
        [[], byHost],
        [['https://app.example.com'], byList],
      ] as const) {
        const ask = await start([fromBearerHeader(), fromCookie('session', { origins })]);
        for (const path of ['/closed', '/optional']) {
          const { status, body, headers: answered } = await ask({ method, headers, path });
          if (expected === 'taken') expect(status).toBe(200);
          else expect([status, body.code, answered['www-authenticate']]).toEqual([403, 'ORIGIN_UNTRUSTED', 'Bearer']);
        }
        expect((await ask({ method, headers, path: '/public' })).status).toBe(200);
      }
    });

    it('has no origin checked where the token comes in the header: no other site can set that', async () => {
      const ask = await start([fromBearerHeader(), fromCookie('session')]);
      const headers = { authorization: `Bearer ${token()}`, origin: 'https://evil.example.org', cookie: 'other=1' };
      expect(outcomeOf(await ask({ method: 'POST', headers }))).toBe('200 alice');
    });
  });

  describe('a token in a form body', () => {
    it.each<[Sent, string]>([
      [{ method: 'POST', form: 'access_token=TOKEN' }, '200 alice'],
      [{ method: 'POST', form: 'a=1&access_token=TOKEN&b=2' }, '200 alice'],
      [{ method: 'POST', form: 'access_token=TOKEN&access_token=TOKEN' }, '400 TOKEN_MULTIPLE'],
      [{ method: 'POST', form: 'access_token=' }, '401 TOKEN_MISSING'],
      [{ method: 'POST', form: 'access_token=x' }, '401 TOKEN_MALFORMED'],
      [
        { method: 'POST', form: '{"access_token":"TOKEN"}', headers: { 'content-type': 'application/json' } },
        '401 TOKEN_MISSING',
      ],
      [{ method: 'POST', path: '/closed?access_token=TOKEN' }, '401 TOKEN_MISSING'],
      [{ path: '/closed?access_token=TOKEN' }, '401 TOKEN_MISSING'],
    ])('is read (RFC 6750 §2.2): %j: %s', async (sent, expected) => {
      const ask = await start([fromFormBody()]);
      const text = (value: string | undefined) => value?.replaceAll('TOKEN', token());
      const filled = { ...sent, ...(sent.form && { form: text(sent.form) }), path: text(sent.path) };
      expect(outcomeOf(await ask(filled))).toBe(expected);
    });
  });

  describe('a token in the address', () => {
    it.each([
      ['/closed?access_token=TOKEN', '200 alice'],
      ['/closed?a=1&access_token=TOKEN', '200 alice'],
      ['/closed?access_token=TOKEN&access_token=TOKEN', '400 TOKEN_MULTIPLE'],
      ['/closed?access_token=x', '401 TOKEN_MALFORMED'],
      ['/closed?access_token=', '401 TOKEN_MISSING'],
      ['/closed', '401 TOKEN_MISSING'],
      ['/optional', '200 guest'],
    ])('is read, and no answer is kept by a cache: %s: %s', async (path, expected) => {
      const ask = await start([fromQuery()]);
      const answer = await ask({ path: path.replaceAll('TOKEN', token()) });
      expect([outcomeOf(answer), answer.headers['cache-control']]).toEqual([expected, 'no-store']);
    });

    it('is kept by no cache where the request is refused for another place', async () => {
      const ask = await start([fromBearerHeader(), fromCookie('session'), fromQuery()]);
      const path = `/closed?access_token=${token()}`;
      for (const headers of [{ authorization: 'Basic x' }, { authorization: ['Bearer a', 'Bearer b'] }]) {
        const answer = await ask({ path, headers: headers });
        expect(answer.headers['cache-control']).toBe('no-store');
      }
      const crossSite = { cookie: 'session=x', 'sec-fetch-site': 'cross-site' };
      const answer = await ask({ method: 'POST', path, headers: crossSite });
      expect([answer.body.code, answer.headers['cache-control']]).toEqual(['ORIGIN_UNTRUSTED', 'no-store']);
    });

    it('may be a parameter of another name', async () => {
      const ask = await start([fromQuery('jwt')]);
      expect(outcomeOf(await ask({ path: `/closed?jwt=${token()}&access_token=x` }))).toBe('200 alice');
    });
  });

  describe('a token that a function finds', () => {
    const reader = (context: ExecutionContext) =>
      context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>().headers['x-token'];

    it.each([
      [undefined, '401 TOKEN_MISSING', '200 guest'],
      ['TOKEN', '200 alice', '200 alice'],
      ['Bearer TOKEN', '200 alice', '200 alice'],
      ['Basic TOKEN', '401 SCHEME_UNSUPPORTED', '401 SCHEME_UNSUPPORTED'],
      ['x', '401 TOKEN_MALFORMED', '401 TOKEN_MALFORMED'],
    ])('is read: %p: %s, for guests %s', async (sent, expected, optional) => {
      const ask = await start([reader]);
      const headers = sent === undefined ? undefined : { 'x-token': sent.replace('TOKEN', token()) };
      expect(outcomeOf(await ask({ headers }))).toBe(expected);
      expect(outcomeOf(await ask({ headers, path: '/optional' }))).toBe(optional);
    });

    it('is refused where the function returns a promise: nobody waits for it', async () => {
      const ask = await start([(() => Promise.resolve(token())) as never]);
      expect(outcomeOf(await ask({ path: '/optional' }))).toBe('401 TOKEN_MALFORMED');
    });

    it('is no fault of the caller where the function throws', async () => {
      const ask = await start([
        () => {
          throw new Error('of the application');
        },
      ]);
      expect((await ask()).status).toBe(500);
    });
  });

  describe('a token in two places', () => {
    const ALL = [fromBearerHeader(), fromCookie('session'), fromFormBody(), fromQuery(), () => undefined];

    it.each<[string, Sent]>([
      ['header and cookie', { headers: { authorization: 'Bearer TOKEN', cookie: 'session=TOKEN' } }],
      ['header and query', { headers: { authorization: 'Bearer TOKEN' }, path: '?access_token=TOKEN' }],
      ['header and form', { headers: { authorization: 'Bearer TOKEN' }, method: 'POST', form: 'access_token=TOKEN' }],
      ['cookie and query', { headers: { cookie: 'session=TOKEN' }, path: '?access_token=TOKEN' }],
      ['cookie and form', { headers: { cookie: 'session=TOKEN' }, method: 'POST', form: 'access_token=TOKEN' }],
      ['query and form', { path: '?access_token=TOKEN', method: 'POST', form: 'access_token=TOKEN' }],
    ])('is refused, even for guests: %s', async (_places, sent) => {
      const ask = await start(ALL);
      const { path = '', ...filled } = JSON.parse(JSON.stringify(sent).replaceAll('TOKEN', token())) as Sent;
      for (const route of ['/closed', '/optional']) {
        const answer = await ask({ ...filled, path: route + path });
        expect(outcomeOf(answer)).toBe('400 TOKEN_MULTIPLE');
        expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
      }
    });

    it.each<[string, Sent]>([
      ['header', { headers: { authorization: 'Bearer TOKEN' } }],
      ['cookie', { headers: { cookie: 'session=TOKEN' } }],
      ['query', { path: '/closed?access_token=TOKEN' }],
      ['form', { method: 'POST', form: 'access_token=TOKEN' }],
    ])('is not meant by a token in one of them: %s', async (_place, sent) => {
      const ask = await start(ALL);
      const filled = JSON.parse(JSON.stringify(sent).replaceAll('TOKEN', token())) as Sent;
      expect(outcomeOf(await ask(filled))).toBe('200 alice');
    });
  });
});
