import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { UnauthorizedException } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { AccessTokenVerifier, AuthError, AuthGuard, type AuthOptions } from '../../src/index.js';
import { bearer, closeApps, PLATFORMS } from '../support/app.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { newKey, AUDIENCE } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';
import { startOrders } from '../support/orders-app.js';
import { graphqlQueryDriver } from '../support/transports/graphql.js';
import { SOCKET_IO } from '../support/transports/sockets.js';

const { issuer, tokenOf: token, TOKENS } = issuerWithTokens();
/** A policy with a name. */
const never = () => false;

afterEach(closeApps);

describe.each(PLATFORMS)('The hint of a refusal on %s', (platform) => {
  it.each<[string, () => Record<string, string>, string]>([
    ['no token', () => ({}), 'Send `Authorization: Bearer'],
    ['another audience', () => bearer(token({ aud: 'other' })), `Expected: ["${AUDIENCE}"]. Got: "other".`],
    [
      'another spelling of the issuer',
      () => bearer(token({ iss: `${issuer.url}/` })),
      'Write it exactly as the token has it',
    ],
    ['a forged token', () => bearer(TOKENS.forged()), 'modified, or signed with another key'],
    ['an opaque token', () => bearer('opaque'), 'Opaque tokens'],
    ['the scheme twice', () => bearer(`Bearer ${token()}`), '`Bearer ` may have been written twice'],
    ['a word', () => bearer('undefined'), 'The client sent the word "undefined"'],
    ['a claim of another type', () => bearer(token({ sub: 5 })), 'The claim is `sub`.'],
    ['an unknown key', () => bearer(token({}, newKey())), 'Got the key id: "'],
    ['no scheme', () => ({ authorization: token() }), 'must begin with'],
  ])('says how to fix the cause: %s', async (_what, headers, hint) => {
    const { ask } = await startOrders(issuer, { explainRefusals: true }, { platform });
    const { status, body } = await ask(headers());
    expect([400, 401]).toContain(status);
    expect(body.hint).toContain(hint);
    expect(body.hint).not.toContain('eyJ');
  });

  it.each<[NonNullable<AuthOptions['require']>, string]>([
    [{ scopes: ['api'] }, 'Expected: ["api"]. The token has: ["read"].'],
    [{ roles: ['admin'] }, 'Expected: ["admin"]. The token has: ["clerk"].'],
    [{ permissions: ['all'] }, 'Expected: ["all"]. The token has: [].'],
    [{ acr: { values: ['mfa'] } }, 'Expected: {"acr":"mfa"}. The token has: {"acr":"pwd"}.'],
    [{ policy: never }, 'The policy never of the application denied access.'],
  ])('compares the token with the requirement %j', async (require, hint) => {
    const { ask } = await startOrders(issuer, { explainRefusals: true, require }, { platform });
    const { status, body } = await ask(bearer(token({ scope: 'read', roles: ['clerk'], acr: 'pwd' })));
    expect([status, body.hint]).toEqual([require.acr ? 401 : 403, expect.stringContaining(hint)]);
  });
});

describe('explainRefusals', () => {
  it('is off by default', async () => {
    const { ask } = await startOrders(issuer);
    expect((await ask(bearer(token({ aud: 'other' })))).body).not.toHaveProperty('hint');
  });

  it('limits the length of what it repeats of the token', async () => {
    const { ask } = await startOrders(issuer, { explainRefusals: true });
    const { body } = await ask(bearer(token({ aud: 'x'.repeat(4_000) })));
    expect((body.hint as string).length).toBeLessThan(1_000);
  });

  it('is logged as a warning at start', async () => {
    const logger = new LogRecorder();
    await startOrders(issuer, { explainRefusals: true }, { logger });
    expect(logger.lines).toEqual([
      'warn: explainRefusals is on: responses tell callers what the options expect and what their token has',
    ]);
  });

  it('has no effect in production, which is logged', async () => {
    const logger = new LogRecorder();
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      const { ask } = await startOrders(issuer, { explainRefusals: true }, { logger });
      expect((await ask()).body).not.toHaveProperty('hint');
      expect(logger.lines).toEqual([
        expect.stringContaining('explainRefusals is on but not used, because NODE_ENV is production'),
        expect.stringContaining('TOKEN_MISSING'),
      ]);
    } finally {
      process.env.NODE_ENV = before;
    }
  });

  it('adds hints to refusals of GraphQL queries, of sockets and of their renewals', async () => {
    const queries = await graphqlQueryDriver('express').start(issuer, { explainRefusals: true });
    const response = await fetch(`${await queries.app.getUrl()}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ closed }' }),
    });
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { hint: expect.stringContaining('Send') } }],
    });
    await queries.close();
    const sockets = await SOCKET_IO.start(issuer, { clock: Date.now, explainRefusals: true });
    expect(await sockets.open('guarded').next('exception')).toMatchObject({ hint: expect.stringContaining('Send') });
    const renewing = sockets.open('guarded', token());
    renewing.send('authenticate', TOKENS.forged());
    expect(await renewing.next('exception')).toMatchObject({ code: 'SIGNATURE_INVALID', hint: expect.any(String) });
    await sockets.close();
  });

  it('refuses a call whose context has no request as well (TOKEN_MISSING)', async () => {
    const { app } = await startOrders(issuer, { explainRefusals: true });
    class PigeonController {
      fly() {
        return 'over there';
      }
    }
    const context = new ExecutionContextHost([{}], PigeonController, Reflect.get(PigeonController.prototype, 'fly'));
    context.setType('carrier-pigeon');
    const refusal = await Promise.resolve(app.get(AuthGuard).canActivate(context)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UnauthorizedException);
    expect(refusal).toMatchObject({ code: 'TOKEN_MISSING', response: { hint: expect.stringContaining('Send') } });
  });

  const circle: Record<string, unknown> = {};
  circle.self = circle;

  it.each<[string, AuthError]>([
    ['a hint of its own', Object.assign(Object.create(new AuthError('POLICY_DENIED')) as AuthError, { hint: 'row 5' })],
    ['a circle in its detail', new AuthError('POLICY_DENIED', { expected: circle })],
    ['a bigint in its detail', new AuthError('POLICY_DENIED', { expected: 1n })],
  ])('calls `validate` once and never sends the facts of its error: %s', async (_what, refusal) => {
    for (const explainRefusals of [false, true]) {
      let calls = 0;
      const validate = () => {
        calls += 1;
        throw refusal;
      };
      const { ask } = await startOrders(issuer, { explainRefusals, validate });
      const { status, body, text } = await ask(bearer(token()));
      expect([status, body.code, calls]).toEqual([403, 'POLICY_DENIED', 1]);
      expect(typeof body.hint).toBe(explainRefusals ? 'string' : 'undefined');
      expect(text).not.toContain('row 5');
    }
  });

  it('is not needed to explain a token with AccessTokenVerifier.explain', async () => {
    const { app } = await startOrders(issuer);
    const rows = await app.get(AccessTokenVerifier).explain(token({ aud: 'other' }));
    expect(rows.filter(({ passed }) => passed !== true).map(({ check }) => check)).toEqual(['audience']);
  });
});
