import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { signIn } from '../../demo/sign-in.js';
import { AuthModule, type AuthOptions } from '../../src/index.js';
import { bearer, call, PLATFORMS, type RunningApp, startApp } from '../support/app.js';
import { AUDIENCE } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const REDIRECT_URI = 'http://127.0.0.1/callback';

describe.each(PLATFORMS)('Tokens of a real authorization server on %s', (platform) => {
  const start = ({ issuer }: AuthorizationServer, options: Partial<AuthOptions> = {}) =>
    startApp(platform, {
      imports: [AuthModule.forRoot({ issuer, audience: AUDIENCE, ...options } as AuthOptions)],
      controllers: [OrdersController],
    });

  describe.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('signed with %s', (algorithm) => {
    let server: AuthorizationServer;
    let running: RunningApp;

    beforeAll(async () => {
      server = await AuthorizationServer.start({ audiences: [AUDIENCE], redirectUri: REDIRECT_URI, algorithm });
      running = await start(server, { tokenTypes: ['at+jwt'] });
    });

    afterAll(async () => {
      await running.close();
      await server.stop();
    });

    it('are accepted from a job (client credentials), with their scopes', async () => {
      const answer = await call(`${running.url}/orders/token`, bearer(await server.clientCredentialsToken()));
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        issuer: server.issuer,
        scopes: ['read:orders', 'write:orders'],
        roles: [],
        permissions: [],
        alg: algorithm,
        isWhole: true,
      });
    });

    it('are accepted from a person (authorization code with PKCE), but not the ID token', async () => {
      const { accessToken, idToken } = await signIn(server, {
        login: 'alice',
        redirectUri: REDIRECT_URI,
        resource: AUDIENCE,
      });
      const answer = await call(`${running.url}/orders/sub`, bearer(accessToken));
      expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
      // RFC 9068 §4: with tokenTypes ['at+jwt'], an ID token is rejected by its type.
      const refused = await call(`${running.url}/orders/sub`, bearer(idToken));
      expect([refused.status, refused.body.code]).toEqual([401, 'TYPE_NOT_ALLOWED']);
    });
  });

  it('cause one fetch of metadata and keys, however many requests are concurrent', async () => {
    const server = await AuthorizationServer.start({ audiences: [AUDIENCE], algorithm: 'ES256' });
    const running = await start(server);
    const token = await server.clientCredentialsToken();
    server.requests.length = 0;
    const answers = await Promise.all(Array.from({ length: 30 }, () => call(`${running.url}/orders`, bearer(token))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(server.requests).toEqual(['/.well-known/openid-configuration', '/jwks']);
    await running.close();
    await server.stop();
  });

  it('are accepted with a new key immediately, and rejected with the withdrawn key (KEY_UNKNOWN)', async () => {
    const server = await AuthorizationServer.start({ audiences: [AUDIENCE], algorithm: 'ES256' });
    const running = await start(server);
    const old = await server.clientCredentialsToken();
    expect((await call(`${running.url}/orders`, bearer(old))).status).toBe(200);
    await server.rotateKeys();
    const rotated = await server.clientCredentialsToken();
    expect((await call(`${running.url}/orders`, bearer(rotated))).status).toBe(200);
    const refused = await call(`${running.url}/orders`, bearer(old));
    expect([refused.status, refused.body.code]).toEqual([401, 'KEY_UNKNOWN']);
    await running.close();
    await server.stop();
  });
});
