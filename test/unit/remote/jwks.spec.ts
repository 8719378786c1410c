import { expect, it } from '@jest/globals';
import { discoverJwksUri } from '../../../src/remote/metadata.js';
import { fetchJwks } from '../../../src/remote/jwks-client.js';

const answering = (body: unknown) => ({
  fetch: () => Promise.resolve(Response.json(body)),
  timeoutMs: 1_000,
  maxBytes: 1_024,
});

it.each([{}, { keys: [] }])(
  'fetchJwks says what is wrong with a set without its query, which may hold a credential',
  async (body) => {
    const message = (await fetchJwks('https://a.example.com/jwks?key=s3cret', answering(body)).catch(String)) as string;
    expect(message).toMatch(
      /^FetchError: https:\/\/a\.example\.com\/jwks: (?:has no list of keys|holds no usable key)/,
    );
  },
);

it('discoverJwksUri says what is wrong with metadata without their query', async () => {
  const uri = 'https://a.example.com/meta?key=s3cret';
  const options = { ...answering({}), uri, allowHttp: false, jwksOrigins: undefined };
  const message = await discoverJwksUri('https://a.example.com', options).catch(String);
  expect(message).toMatch(/^FetchError: https:\/\/a\.example\.com\/meta: is the metadata of no issuer/);
});
