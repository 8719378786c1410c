import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { fetchJson } from '../../../src/remote/http-exchange.js';
import { type Handler, LocalIssuer } from '../../support/local-issuer.js';

let issuer: LocalIssuer;

beforeAll(async () => {
  issuer = await LocalIssuer.start();
});

afterAll(() => issuer.stop());

async function fetchAnswerOf(answer: (response: ServerResponse) => void, timeoutMs = 2_000): Promise<unknown> {
  issuer.handlers.set('/answer', (_request, response) => {
    answer(response);
  });
  const fetched = await fetchJson(`${issuer.url}/answer`, { fetch, timeoutMs, maxBytes: 512 * 1024 });
  return fetched.isModified ? fetched.body : 'not modified';
}

const json = { 'content-type': 'application/json' };

describe('fetchJson', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/jwk-set+json',
    'text/plain',
    'application/octet-stream',
    '',
  ])('takes JSON that is sent as %s', async (type) => {
    await expect(
      fetchAnswerOf((response) => response.writeHead(200, { 'content-type': type }).end('{"a":"é"}')),
    ).resolves.toEqual({ a: 'é' });
  });

  it('takes JSON that is sent without a media type', async () => {
    await expect(fetchAnswerOf((response) => response.end('{}'))).resolves.toEqual({});
  });

  it.each([
    [201, 'status 201'],
    [204, 'status 204'],
    [302, 'status 302'],
    [304, 'status 304'],
    [404, 'status 404'],
    [429, 'status 429'],
    [500, 'status 500'],
  ])('refuses status %i', async (status, reason) => {
    const answer = fetchAnswerOf((response) =>
      response
        .writeHead(status, { ...json, location: '/elsewhere' })
        .end(status === 204 || status === 304 ? undefined : '{}'),
    );
    await expect(answer).rejects.toThrow(reason);
  });

  it('follows no redirect', async () => {
    issuer.json('/elsewhere', () => ({ keys: [] }));
    const answer = fetchAnswerOf((response) => response.writeHead(302, { location: '/elsewhere' }).end());
    await expect(answer).rejects.toThrow('status 302');
    expect(issuer.countOf('/elsewhere')).toBe(0);
  });

  it('asks for JSON', async () => {
    let accept: unknown;
    issuer.handlers.set('/answer', ({ headers }, response) => {
      ({ accept } = headers);
      response.end('{}');
    });
    await fetchJson(`${issuer.url}/answer`, { fetch, timeoutMs: 2_000, maxBytes: 1_024 });
    expect(accept).toBe('application/json');
  });

  it('rejects a redirect that `fetch` has made opaque (REDIRECT)', async () => {
    const opaque = { type: 'opaqueredirect', status: 0, headers: new Headers(), body: null } as Response;
    const options = { fetch: () => Promise.resolve(opaque), timeoutMs: 2_000, maxBytes: 1_024 };
    await expect(fetchJson('https://a.example.com', options)).rejects.toMatchObject({ code: 'REDIRECT' });
  });

  it.each([
    ['text/html', '<html>log in</html>', 'which is not JSON'],
    ['text/html; charset=utf-8', '{}', 'which is not JSON'],
    ['application/jsonp', '{}', 'which is not JSON'],
    ['application/json', '<html>', 'a body that is not JSON'],
    ['application/json', '', 'a body that is not JSON'],
    ['application/json', '{"keys":[', 'a body that is not JSON'],
  ])('refuses %s with %j', async (type, body, reason) => {
    const answer = fetchAnswerOf((response) => response.writeHead(200, { 'content-type': type }).end(body));
    await expect(answer).rejects.toThrow(reason);
  });

  it('reads 512 KiB and no more, whatever the length says', async () => {
    const largest = `"${'a'.repeat(512 * 1024 - 2)}"`;
    await expect(fetchAnswerOf((response) => response.writeHead(200, json).end(largest))).resolves.toHaveLength(
      512 * 1024 - 2,
    );
    await expect(fetchAnswerOf((response) => response.writeHead(200, json).end(`${largest} `))).rejects.toThrow(
      'more than 524288 bytes',
    );
  });

  it('ends a body that never ends at the deadline', async () => {
    const answer = fetchAnswerOf((response) => {
      response.writeHead(200, json).write('{"keys":');
      const drip = setInterval(() => response.write(' '), 5);
      response.on('close', () => {
        clearInterval(drip);
      });
    }, 60);
    await expect(answer).rejects.toThrow('no answer within 60 ms');
  });

  it('ends an exchange without an answer at the deadline', async () => {
    await expect(fetchAnswerOf(() => undefined, 30)).rejects.toThrow('no answer within 30 ms');
  });

  it("ends at the deadline when the application's own fetch does not look at the signal", async () => {
    const deaf = () => new Promise<never>(() => undefined);
    await expect(
      fetchJson('https://issuer.example.com', { fetch: deaf, timeoutMs: 20, maxBytes: 1024 }),
    ).rejects.toThrow('https://issuer.example.com: no answer within 20 ms');
  });

  it('says what went wrong with a connection that is cut in the middle of the body', async () => {
    const answer = fetchAnswerOf((response) => {
      response.writeHead(200, { ...json, 'content-length': '100' }).write('{"keys":');
      setImmediate(() => response.destroy());
    });
    await expect(answer).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+\/answer: \w+/);
  });

  it('says that nobody listens', async () => {
    const gone = await LocalIssuer.start();
    await gone.stop();
    await expect(fetchJson(gone.url, { fetch, timeoutMs: 2_000, maxBytes: 1024 })).rejects.toThrow('ECONNREFUSED');
  });

  it('says what a fetch throws that is no Error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is tested
    const broken = () => Promise.reject('x');
    await expect(fetchJson('https://a.example.com', { fetch: broken, timeoutMs: 20, maxBytes: 1024 })).rejects.toThrow(
      'failed',
    );
  });
});

describe('fetchJson, when it is given validators', () => {
  const options = { fetch, timeoutMs: 2_000, maxBytes: 1_024 };
  const validators = { etag: '"v1"', lastModified: 'Tue, 24 Nov 2026 00:00:00 GMT' };
  const answerWith = (answer: Handler) => {
    issuer.handlers.set('/conditional', answer);
    return `${issuer.url}/conditional`;
  };

  it('sends them, and says that the answer still holds', async () => {
    const sent: unknown[] = [];
    const address = answerWith(({ headers }, response) => {
      sent.push(headers['if-none-match'], headers['if-modified-since']);
      response.writeHead(304, { 'cache-control': 'max-age=60' }).end();
    });
    await expect(fetchJson(address, options, validators)).resolves.toEqual({ isModified: false, maxAgeSeconds: 60 });
    expect(sent).toEqual([validators.etag, validators.lastModified]);
  });

  it('gives the validators and the age of what it has read', async () => {
    const address = answerWith((_request, response) => {
      const headers = { ...json, etag: '"v2"', 'last-modified': 'x', 'cache-control': 'public, max-age=10' };
      response.writeHead(200, headers).end('7');
    });
    await expect(fetchJson(address, options, validators)).resolves.toEqual({
      isModified: true,
      body: 7,
      validators: { etag: '"v2"', lastModified: 'x' },
      maxAgeSeconds: 10,
    });
  });
});

it('fetchJson does not take "not modified" for an answer to a request without a condition', async () => {
  const options = { fetch, timeoutMs: 2_000, maxBytes: 1_024 };
  issuer.handlers.set('/unconditional?key=s3cret', (_request, response) => response.writeHead(304).end());
  const none = { etag: undefined, lastModified: undefined };
  await expect(fetchJson(`${issuer.url}/unconditional?key=s3cret`, options, none)).rejects.toMatchObject({
    code: 'REDIRECT',
    // Without the query, which may hold a credential.
    message: `${issuer.url}/unconditional: answered with status 304`,
  });
});

describe('The code of a FetchError', () => {
  const options = { fetch, timeoutMs: 2_000, maxBytes: 1_024 };

  it.each<[string, Handler]>([
    ['STATUS', (_request, response) => response.writeHead(503).end()],
    ['REDIRECT', (_request, response) => response.writeHead(307, { location: '/' }).end()],
    ['MEDIA_TYPE', (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['TOO_LARGE', (_request, response) => response.writeHead(200, json).end('"'.padEnd(2_000))],
    ['NOT_JSON', (_request, response) => response.writeHead(200, json).end('{')],
    ['NETWORK', (_request, response) => response.destroy()],
  ])('is %s', async (code, answer) => {
    issuer.handlers.set('/failing', answer);
    await expect(fetchJson(`${issuer.url}/failing`, options)).rejects.toMatchObject({ name: 'FetchError', code });
  });

  it('is TIMEOUT at the deadline, and CLOSED when it is ended from outside; the connection is closed both times', async () => {
    const closed = new Promise<void>((resolve) => {
      issuer.handlers.set('/hanging', (_request, response) => {
        response.on('close', resolve);
      });
    });
    const closing = new AbortController();
    const address = `${issuer.url}/hanging`;
    await expect(fetchJson(address, { ...options, timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await closed;
    const exchange = fetchJson(address, { ...options, signal: closing.signal });
    closing.abort();
    await expect(exchange).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(fetchJson(address, { ...options, signal: closing.signal })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
