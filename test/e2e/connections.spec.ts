import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, type Type, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AuthenticatedGateway,
  type AuthError,
  AuthGuard,
  type AuthOptions,
  ConnectionGuard,
  CurrentUser,
  OptionalAuth,
  Public,
  RequireScopes,
} from '../../src/index.js';
import { Expiries } from '../../src/nest/expiries.js';
import { until } from '../support/guarded-app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { greeting } from '../support/transports/doors.js';
import { type RunningSockets, SOCKET_KINDS } from '../support/transports/sockets.js';

const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
let issuer: LocalIssuer;
let running: RunningSockets | undefined;

beforeAll(async () => {
  issuer = await LocalIssuer.start([key]);
});

afterAll(() => issuer.stop());

afterEach(async () => {
  await running?.close();
  running = undefined;
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const tokenOf = (claims: Record<string, unknown> = {}) =>
  issuer.token(key, 'RS256', { iat: nowSeconds() - 60, scope: 'read', ...claims });
const reply = (text: string) => ({ event: 'reply', data: text });

describe.each(SOCKET_KINDS)('A socket of $name', (kind) => {
  const start = async (options?: Partial<AuthOptions>, gateways?: Parameters<typeof kind.start>[2]) => {
    running = await kind.start(issuer, { clock: Date.now, ...options }, gateways);
    return running;
  };

  const isNative = kind.name === 'ws';

  it.each([
    ['no token', () => undefined, 'TOKEN_MISSING', 4401],
    ['a forged token', () => issuer.token(stranger, 'RS256'), 'SIGNATURE_INVALID', 4401],
    ['an expired token', () => tokenOf({ exp: nowSeconds() - 60 }), 'TOKEN_EXPIRED', 4401],
  ])('is told why and closed when it is opened with %s', async (_what, token, code, closeCode) => {
    const { open } = await start();
    const outcome = await open('guarded', token()).closed;
    expect(outcome).toEqual({ code, closeCode: isNative ? closeCode : undefined });
  });

  it('is closed when its token lacks what the class of the gateway requires (4403)', async () => {
    const { open } = await start({}, (place) => {
      @RequireScopes('write')
      @WebSocketGateway(place('strict'))
      class StrictGateway extends AuthenticatedGateway {}
      return [StrictGateway];
    });
    const outcome = await open('strict', tokenOf()).closed;
    expect(outcome).toEqual({ code: 'SCOPE_INSUFFICIENT', closeCode: isNative ? 4403 : undefined });
  });

  it('is closed, and nothing else happens, when the application fails at its opening', async () => {
    const { open } = await start({
      user: () => {
        throw new Error('the database is down');
      },
    });
    const outcome = await open('guarded', tokenOf()).closed;
    expect(outcome).toEqual({ code: undefined, closeCode: isNative ? 1011 : undefined });
  });

  it('has its first message wait until it is admitted, and then answered', async () => {
    let admit: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (admit = resolve));
    let asked = 0;
    const { open } = await start({
      user: async ({ claims }) => {
        asked += 1;
        if (asked === 1) await gate;
        return claims;
      },
    });
    const socket = open('guarded', tokenOf());
    let isAnswered = false;
    const answer = socket.next('reply', 'exception').finally(() => (isAnswered = true));
    socket.send('closed');
    await until(() => asked === 1);
    // Meanwhile another one is opened, asks and is answered.
    const other = open('guarded', tokenOf());
    other.send('closed');
    expect(await other.next('reply', 'exception')).toBe('ok alice');
    expect(isAnswered).toBe(false);
    admit?.();
    expect(await answer).toBe('ok alice');
  });

  it('asks the application once who is calling, however many guards a message meets', async () => {
    let asked = 0;
    const { open } = await start({
      user: ({ claims }) => {
        asked += 1;
        return claims;
      },
    });
    const socket = open('guarded', tokenOf());
    for (let message = 1; message <= 3; message += 1) {
      socket.send('closed');
      expect(await socket.next('reply', 'exception')).toBe('ok alice');
      // And once for the opening.
      expect(asked).toBe(message + 1);
    }
  });

  it('has a message that came before its refusal refused for the same reason', async () => {
    const { open } = await start();
    const socket = open('guarded', tokenOf({ aud: 'https://other.example.com' }));
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toMatchObject({
      status: 'error',
      statusCode: 401,
      code: 'AUDIENCE_MISMATCH',
    });
  });

  it('may be opened by a guest where the gateway is @OptionalAuth(), but not with a bad token', async () => {
    const { open } = await start({}, (place) => {
      @OptionalAuth()
      @WebSocketGateway(place('half-open'))
      class HalfOpenGateway extends AuthenticatedGateway {
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [HalfOpenGateway];
    });
    const guest = open('half-open');
    guest.send('who');
    expect(await guest.next('reply', 'exception')).toBe('ok guest');
    expect((await open('half-open', 'not-a-token').closed).code).toBe('TOKEN_MALFORMED');
    // A guest may become somebody.
    guest.send('authenticate', tokenOf());
    await guest.next('authenticated');
    guest.send('who');
    expect(await guest.next('reply', 'exception')).toBe('ok alice');
  });

  it('is guarded by one line in a gateway that extends nothing', async () => {
    const admitted: boolean[] = [];
    const { open } = await start({}, (place): Type[] => {
      // On Nest 11 the global guard is not asked about messages.
      @UseGuards(AuthGuard)
      @WebSocketGateway(place('by-hand'))
      class ByHandGateway {
        constructor(@Inject(ConnectionGuard) private readonly connections: ConnectionGuard) {}

        async handleConnection(client: object, request?: unknown) {
          admitted.push(await this.connections.admit(this, client, request));
        }

        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [ByHandGateway];
    });
    expect((await open('by-hand').closed).code).toBe('TOKEN_MISSING');
    const socket = open('by-hand', tokenOf());
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    expect(admitted).toEqual([false, true]);
  });

  it('cannot renew a token where its opening was not guarded (TOKEN_MISSING)', async () => {
    const { open } = await start({}, (place): Type[] => {
      @WebSocketGateway(place('unguarded'))
      class UnguardedGateway {
        constructor(@Inject(ConnectionGuard) private readonly connections: ConnectionGuard) {}

        @Public()
        @SubscribeMessage('authenticate')
        async authenticate(client: object, token: unknown) {
          // On Nest 11 what is thrown here is told to no client of ws.
          const code = await this.connections.renew(client, token).catch((error: unknown) => (error as AuthError).code);
          return { event: 'answer', data: code };
        }
      }
      return [UnguardedGateway];
    });
    const socket = open('unguarded', tokenOf());
    socket.send('authenticate', tokenOf());
    expect(await socket.next('answer')).toBe('TOKEN_MISSING');
  });

  it('outlives its first token when it sends a new one (authenticate)', async () => {
    const { open, app } = await start();
    const exp = nowSeconds() + 2;
    const socket = open('guarded', tokenOf({ exp }));
    socket.send('authenticate', tokenOf({ exp: exp + 300 }));
    expect(await socket.next('authenticated', 'exception')).toEqual({ expiresAt: exp + 300 });
    const closed = socket.closed.then(() => 'closed');
    expect(await Promise.race([closed, until(() => Date.now() / 1000 > exp + 0.2)])).toBeUndefined();
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    expect(app.get(Expiries, { strict: false }).size).toBe(1);
    socket.close();
    // What is closed is watched no more.
    await until(() => app.get(Expiries, { strict: false }).size === 0);
  });

  it.each([
    ['of another subject', () => tokenOf({ sub: 'bob' }), 'CLAIM_INVALID'],
    ['that is forged', () => issuer.token(stranger, 'RS256'), 'SIGNATURE_INVALID'],
    ['that is expired', () => tokenOf({ exp: nowSeconds() - 60 }), 'TOKEN_EXPIRED'],
    ['that is no text', () => 7, 'TOKEN_MALFORMED'],
    ['that is none', () => undefined, 'TOKEN_MALFORMED'],
  ])('keeps the token that it has when it sends one %s', async (_what, token, code) => {
    const { open } = await start();
    const socket = open('guarded', tokenOf());
    socket.send('authenticate', token());
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code });
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
  });

  it('keeps the token that it has when the new one lacks what the gateway requires', async () => {
    const { open } = await start({}, (place) => {
      @RequireScopes('read')
      @WebSocketGateway(place('readers'))
      class ReadersGateway extends AuthenticatedGateway {
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [ReadersGateway];
    });
    const socket = open('readers', tokenOf());
    socket.send('authenticate', tokenOf({ scope: 'write' }));
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
  });

  it('is told that its token expired, refused in the time of grace, and closed after it', async () => {
    const { open } = await start({ connections: { graceSeconds: 1 } });
    const exp = nowSeconds() + 2;
    const socket = open('guarded', tokenOf({ exp }));
    expect(await socket.next('exception')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    expect((await socket.closed).code).toBe('TOKEN_EXPIRED');
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp + 1);
  });

  it('may renew its token in the time of grace', async () => {
    const { open } = await start({ connections: { graceSeconds: 30 } });
    const socket = open('guarded', tokenOf({ exp: nowSeconds() + 2 }));
    await socket.next('exception');
    socket.send('authenticate', tokenOf());
    await socket.next('authenticated');
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
  });
});
