import { describe, expect, it } from '@jest/globals';
import { AuthModule, type AuthOptions } from '../../src/index.js';
import { bearer, call, PLATFORMS, startApp } from '../support/app.js';
import { newKey, signToken, AUDIENCE } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const ISSUER = 'https://issuer.example.com';
const METADATA = `${ISSUER}/.well-known/openid-configuration`;
const JWKS = 'https://keys.example.com/jwks';
const HTTP_JWKS = 'http://keys.example.com/jwks';
const key = newKey();

/** Returns a `fetch` that serves only these documents, and the addresses that it was called with. */
function serving(documents: Record<string, unknown>): { fetch: typeof fetch; requests: string[] } {
  const requests: string[] = [];
  return {
    requests,
    fetch: (address) => {
      const url = address as string;
      requests.push(url);
      return Promise.resolve(url in documents ? Response.json(documents[url]) : new Response(null, { status: 404 }));
    },
  };
}

const keySet = { keys: [key.jwk] };

describe.each(PLATFORMS)('the keys of an issuer on %s', (platform) => {
  const callWith = async (options: Partial<AuthOptions>) => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: ISSUER, audience: AUDIENCE, ...options } as AuthOptions)],
      controllers: [OrdersController],
    });
    const exp = Math.floor(Date.now() / 1000) + 300;
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp };
    const token = signToken({ alg: 'RS256', kid: key.kid }, claims, key.privateKey);
    const answer = await call(`${running.url}/orders`, bearer(token));
    await running.close();
    return answer;
  };

  it('are found with the metadata at the `uri` of discovery only', async () => {
    const uri = 'https://elsewhere.example.com/metadata';
    const { fetch, requests } = serving({ [uri]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: keySet });
    expect((await callWith({ fetch, keys: { from: 'discovery', uri } })).status).toBe(200);
    expect(requests).toEqual([uri, JWKS]);
  });

  it('are unavailable if the `uri` of discovery fails: the well-known locations are not tried (503)', async () => {
    const uri = 'https://elsewhere.example.com/metadata';
    const { fetch, requests } = serving({ [METADATA]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: keySet });
    const answer = await callWith({ fetch, keys: { from: 'discovery', uri } });
    expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
    expect(requests).toEqual([uri]);
  });

  it('are not fetched from an http address in the metadata (503)', async () => {
    const { fetch, requests } = serving({ [METADATA]: { issuer: ISSUER, jwks_uri: HTTP_JWKS }, [HTTP_JWKS]: keySet });
    const answer = await callWith({ fetch });
    expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
    expect(requests).toContain(METADATA);
    expect(requests).not.toContain(HTTP_JWKS);
  });

  it('are fetched over http with insecureAllowHttp', async () => {
    const { fetch, requests } = serving({ [METADATA]: { issuer: ISSUER, jwks_uri: HTTP_JWKS }, [HTTP_JWKS]: keySet });
    expect((await callWith({ fetch, insecureAllowHttp: true })).status).toBe(200);
    expect(requests).toEqual([METADATA, HTTP_JWKS]);
  });
});
