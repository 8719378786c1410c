import { describe, expect, it } from '@jest/globals';
import { AuthModule, type AuthOptions } from '../../src/index.js';
import { bearer, call, PLATFORMS, startApp } from '../support/app.js';
import { newKey, signToken } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const AUDIENCE = 'https://api.example.com';
const ISSUER = 'https://issuer.example.com';
const METADATA = `${ISSUER}/.well-known/openid-configuration`;
const JWKS = 'https://keys.example.com/jwks';
const HTTP_JWKS = 'http://keys.example.com/jwks';
const key = newKey();

/** A `fetch` with a web of its own, in which only these pages are. */
function webOf(pages: Record<string, unknown>): { fetch: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: (address) => {
      const url = address as string;
      asked.push(url);
      return Promise.resolve(url in pages ? Response.json(pages[url]) : new Response(null, { status: 404 }));
    },
  };
}

const keySet = { keys: [key.jwk] };

describe.each(PLATFORMS)('the keys of an issuer on %s', (platform) => {
  const ask = async (options: Partial<AuthOptions>) => {
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

  it('are fetched by the `fetch` of the options, as are its metadata', async () => {
    const { fetch, asked } = webOf({ [METADATA]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: keySet });
    expect((await ask({ fetch })).status).toBe(200);
    expect(asked).toEqual([METADATA, JWKS]);
  });

  it("are found by the metadata at the `uri` of discovery, and none of the issuer's own locations is asked", async () => {
    const uri = 'https://elsewhere.example.com/metadata';
    const { fetch, asked } = webOf({ [uri]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: keySet });
    expect((await ask({ fetch, keys: { from: 'discovery', uri } })).status).toBe(200);
    expect(asked).toEqual([uri, JWKS]);
  });

  it("are not looked for at the issuer's own locations when the `uri` of discovery fails (503)", async () => {
    const uri = 'https://elsewhere.example.com/metadata';
    const { fetch, asked } = webOf({ [METADATA]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: keySet });
    const answer = await ask({ fetch, keys: { from: 'discovery', uri } });
    expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
    expect(asked).toEqual([uri]);
  });

  it('are not fetched over http because the metadata say so (503)', async () => {
    const { fetch, asked } = webOf({ [METADATA]: { issuer: ISSUER, jwks_uri: HTTP_JWKS }, [HTTP_JWKS]: keySet });
    const answer = await ask({ fetch });
    expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
    expect(asked).toContain(METADATA);
    expect(asked).not.toContain(HTTP_JWKS);
  });

  it('are fetched over http with insecureAllowHttp', async () => {
    const { fetch, asked } = webOf({ [METADATA]: { issuer: ISSUER, jwks_uri: HTTP_JWKS }, [HTTP_JWKS]: keySet });
    expect((await ask({ fetch, insecureAllowHttp: true })).status).toBe(200);
    expect(asked).toEqual([METADATA, HTTP_JWKS]);
  });
});
