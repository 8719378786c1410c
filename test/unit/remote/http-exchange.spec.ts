import { describe, expect, it } from '@jest/globals';
import { exchange, type ExchangeRequest } from '../../../src/remote/http-exchange.js';
import { type Handler, LocalIssuer } from '../../support/local-issuer.js';

const issuer = LocalIssuer.forFile([]);
const OPTIONS = { fetch, timeoutMs: 2_000, maxBytes: 512 * 1024 };
const JSON_TYPE = { 'content-type': 'application/json' };

const exchangeWith = (handler: Handler, request?: ExchangeRequest) => {
  issuer.handlers.set('/resource?key=s3cret', handler);
  return exchange(`${issuer.url}/resource?key=s3cret`, OPTIONS, request);
};
const responding =
  (body: string, headers: Record<string, string> = JSON_TYPE): Handler =>
  (_request, response) => {
    response.writeHead(200, headers).end(body);
  };

describe('exchange', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON',
    'application/jwk-set+json',
    'text/plain',
    'text/html',
    'application/octet-stream',
    'binary/octet-stream',
    '',
  ])('accepts JSON with the content type %j', async (type) => {
    const { body } = await exchangeWith(responding('{"a":"é"}', { 'content-type': type }));
    expect(body).toEqual({ a: 'é' });
  });

  it('returns the text of a PEM file', async () => {
    const pem = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
    expect(await exchangeWith(responding(pem, { 'content-type': 'text/plain' }))).toMatchObject({ body: pem });
  });

  it('accepts JSON without a content type, and with a byte order mark', async () => {
    expect(await exchangeWith(responding('\uFEFF{}', {}))).toMatchObject({ body: {} });
  });

  it('sends a GET request for JSON by default', async () => {
    const { body } = await exchangeWith(({ method, headers }, response) => {
      response.end(JSON.stringify([method, headers.accept]));
    });
    expect(body).toEqual(['GET', 'application/json, application/jwk-set+json, */*;q=0.1']);
  });

  it('sends the given method, headers and body', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Basic eA==' };
    const { body } = await exchangeWith(
      (request, response) => {
        void request.toArray().then((chunks) => {
          const { method, headers } = request;
          const sent = Buffer.concat(chunks as Uint8Array[]).toString();
          response.end(JSON.stringify([method, headers.accept, headers['content-type'], headers.authorization, sent]));
        });
      },
      { method: 'POST', headers: form, body: 'token=x' },
    );
    expect(body).toEqual([
      'POST',
      expect.stringContaining('application/json'),
      form['content-type'],
      form.authorization,
      'token=x',
    ]);
  });

  it.each([201, 204, 404, 429, 500])(
    'rejects status %i, without the body and the query in the message',
    async (status) => {
      const response = exchangeWith((_request, answer) => answer.writeHead(status, JSON_TYPE).end());
      await expect(response).rejects.toMatchObject({
        name: 'FetchError',
        code: 'STATUS',
        message: `${issuer.url}/resource: answered with status ${String(status)}`,
      });
    },
  );

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with status %i (REDIRECT)', async (status) => {
    issuer.requests.length = 0;
    const post = { method: 'POST', body: 'token=x' } as const;
    const response = exchangeWith((_request, answer) => answer.writeHead(status, { location: '/x' }).end(), post);
    await expect(response).rejects.toMatchObject({ code: 'REDIRECT' });
    expect(issuer.requests).toHaveLength(1);
  });

  it('rejects a redirect that `fetch` has made opaque (REDIRECT)', async () => {
    const opaque = { type: 'opaqueredirect', status: 0, headers: new Headers(), body: null } as Response;
    const response = exchange('https://a.example.com', { ...OPTIONS, fetch: () => Promise.resolve(opaque) });
    await expect(response).rejects.toMatchObject({ code: 'REDIRECT' });
  });

  it.each([
    ['text/html', '<html>log in</html>', 'answered with "text/html", which is not JSON'],
    ['application/octet-stream', 'not JSON', 'which is not JSON'],
    ['application/json', '<html>', 'answered with a body that is not JSON'],
    ['application/json', '', 'a body that is not JSON'],
    ['application/json', '{"keys":[', 'a body that is not JSON'],
  ])('rejects %s with %j', async (type, body, reason) => {
    await expect(exchangeWith(responding(body, { 'content-type': type }))).rejects.toThrow(reason);
  });

  it('reads at most maxBytes', async () => {
    const largest = `"${'a'.repeat(OPTIONS.maxBytes - 2)}"`;
    await expect(exchangeWith(responding(largest))).resolves.toBeDefined();
    await expect(exchangeWith(responding(`${largest} `))).rejects.toThrow('more than 524288 bytes');
  });

  it('reports why there was no connection', async () => {
    const gone = await LocalIssuer.start();
    await gone.stop();
    await expect(exchange(gone.url, OPTIONS)).rejects.toMatchObject({
      code: 'NETWORK',
      message: `${gone.url}: ECONNREFUSED`,
    });
  });

  it('reports a failure of a custom `fetch` that throws something other than an Error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- this is the case under test
    const broken = { ...OPTIONS, fetch: () => Promise.reject('x') };
    await expect(exchange('https://a.example.com', broken)).rejects.toThrow('https://a.example.com: failed');
  });
});

describe('a conditional request', () => {
  const conditions = { 'if-none-match': '"v1"', 'if-modified-since': 'Tue, 24 Nov 2026 00:00:00 GMT' };

  it.each(Object.entries(conditions))('accepts 304 (%s)', async (name, value) => {
    const notModified: Handler = ({ headers }, response) => {
      response.writeHead(headers[name] === value ? 304 : 500, { 'cache-control': 'max-age=60' }).end();
    };
    const { body, maxAgeSeconds } = await exchangeWith(notModified, { headers: { [name]: value } });
    expect([body, maxAgeSeconds]).toEqual([undefined, 60]);
  });

  it('is prepared by the last response', async () => {
    const headers = { etag: '"v1"', 'last-modified': conditions['if-modified-since'], 'cache-control': 'max-age=10' };
    const response = await exchangeWith(responding('7', { ...JSON_TYPE, ...headers }));
    expect(response).toEqual({ body: 7, conditions, maxAgeSeconds: 10 });
  });

  it('is required for 304 (REDIRECT)', async () => {
    const response = exchangeWith((_request, answer) => answer.writeHead(304).end());
    await expect(response).rejects.toMatchObject({ code: 'REDIRECT' });
  });
});
