import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { fetchJson } from '../../../src/remote/fetch-json.js';
import { LocalIssuer } from '../../support/local-issuer.js';

let issuer: LocalIssuer;

beforeAll(async () => {
  issuer = await LocalIssuer.start();
});

afterAll(() => issuer.stop());

function fetchAnswerOf(answer: (response: ServerResponse) => void, timeoutMs = 2_000): Promise<unknown> {
  issuer.handlers.set('/answer', (_request, response) => {
    answer(response);
  });
  return fetchJson(`${issuer.url}/answer`, { fetch, timeoutMs });
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

  it.each([
    ['text/html', '<html>log in</html>', 'which is not JSON'],
    ['text/html; charset=utf-8', '{}', 'which is not JSON'],
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
    await expect(fetchJson('https://issuer.example.com', { fetch: deaf, timeoutMs: 20 })).rejects.toThrow(
      'https://issuer.example.com: no answer within 20 ms',
    );
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
    await expect(fetchJson(gone.url, { fetch, timeoutMs: 2_000 })).rejects.toThrow('ECONNREFUSED');
  });

  it('says what a fetch throws that is no Error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what is tested
    const broken = () => Promise.reject('x');
    await expect(fetchJson('https://a.example.com', { fetch: broken, timeoutMs: 20 })).rejects.toThrow('failed');
  });
});
