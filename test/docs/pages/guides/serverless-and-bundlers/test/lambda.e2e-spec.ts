import { expect, it } from '@jest/globals';
import { issuer } from '../src/app.module.js';
import { handler } from '../src/lambda.js';

/** A request of API Gateway (HTTP API, payload version 2.0). */
const call = (headers: Record<string, string>) =>
  handler(
    {
      version: '2.0',
      rawPath: '/orders',
      rawQueryString: '',
      headers: { host: 'api.example.com', ...headers },
      requestContext: { http: { method: 'GET', path: '/orders' } },
      isBase64Encoded: false,
    },
    {} as never,
  );

it('guards the routes of a Lambda function', async () => {
  expect(await call({})).toMatchObject({ statusCode: 401 });
  const answer = { statusCode: 200, body: '{"of":"alice"}' };
  expect(await call(await issuer.as({ sub: 'alice' }))).toMatchObject(answer);
});
