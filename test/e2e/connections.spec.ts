import 'reflect-metadata';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Inject, type Type, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io, Manager } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  AuthenticatedGateway,
  type AuthError,
  AuthGuard,
  type AuthOptions,
  SocketAuthenticator,
  CurrentUser,
  OptionalAuth,
  Public,
  RequirePolicy,
  RequireScopes,
} from '../../src/index.js';
import { until } from '../support/guarded-app.js';
import { holdTime, pass } from '../support/held-time.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { greeting, watchedBy } from '../support/transports/doors.js';
import { type RunningSockets, SOCKET_IO, SOCKET_KINDS } from '../support/transports/sockets.js';

const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
const issuer = LocalIssuer.forFile([key]);
let running: RunningSockets | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

const nowSeconds = () => Math.floor(Date.now() / 1000);
const tokenOf = (claims: Record<string, unknown> = {}) =>
  issuer.token(key, 'RS256', { iat: nowSeconds() - 60, scope: 'read', ...claims });
const reply = (text: string) => ({ event: 'reply', data: text });

describe.each(SOCKET_KINDS)('A socket of $name', (kind) => {
  holdTime();

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
        constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

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
        constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

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

  it('is told how long its new token serves: no longer than maxTokenAgeSeconds', async () => {
    const { open } = await start({ maxTokenAgeSeconds: 60 });
    const [iat, exp] = [nowSeconds() - 10, nowSeconds() + 300];
    const socket = open('guarded', tokenOf({ iat, exp }));
    socket.send('authenticate', tokenOf({ iat, exp }));
    expect(await socket.next('authenticated', 'exception')).toEqual({ expiresAt: iat + 60 });
  });

  it('outlives its first token when it sends a new one (authenticate)', async () => {
    const { open, app } = await start();
    const exp = nowSeconds() + 10;
    const socket = open('guarded', tokenOf({ exp }));
    socket.send('authenticate', tokenOf({ exp: exp + 300 }));
    expect(await socket.next('authenticated', 'exception')).toEqual({ expiresAt: exp + 300 });
    await pass(11);
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    expect(watchedBy(app)).toBe(1);
    socket.close();
    // What is closed is watched no more.
    await until(() => watchedBy(app) === 0);
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
    const { open, app } = await start({ connections: { renewalGraceSeconds: 5 } });
    const socket = open('guarded', tokenOf({ exp: nowSeconds() + 10 }));
    await until(() => watchedBy(app) === 1);
    await pass(10);
    expect(await socket.next('exception')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    await pass(5 - 1);
    expect(watchedBy(app)).toBe(1);
    await pass(1);
    expect((await socket.closed).code).toBe('TOKEN_EXPIRED');
  });

  it('may renew its token in the time of grace', async () => {
    const { open, app } = await start({ connections: { renewalGraceSeconds: 30 } });
    const socket = open('guarded', tokenOf({ exp: nowSeconds() + 10 }));
    await until(() => watchedBy(app) === 1);
    await pass(10);
    await socket.next('exception');
    socket.send('authenticate', tokenOf());
    await socket.next('authenticated');
    socket.send('closed');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
  });

  it('has what a subclass does at its opening done once it is admitted, and not for others', async () => {
    const opened: string[] = [];
    const { open } = await start({}, (place) => {
      @WebSocketGateway(place('own'))
      class OwnGateway extends AuthenticatedGateway {
        // With nothing called on super.
        override handleConnection() {
          opened.push('method');
        }

        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }

      @WebSocketGateway(place('late'))
      class LateGateway extends AuthenticatedGateway {
        constructor() {
          super();
          this.handleConnection = () => opened.push('property');
        }

        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [OwnGateway, LateGateway];
    });
    for (const [path, made] of [
      ['own', 'method'],
      ['late', 'property'],
    ] as const) {
      expect((await open(path).closed).code).toBe('TOKEN_MISSING');
      const socket = open(path, tokenOf());
      socket.send('who');
      expect(await socket.next('reply', 'exception')).toBe('ok alice');
      expect(opened.splice(0)).toEqual([made]);
    }
  });

  it('is refused where a guard in the place of ours says no in the way of Nest', async () => {
    class ClosedGuard extends AuthGuard {
      override async canActivate(): Promise<boolean> {
        return await Promise.resolve(false);
      }
    }
    const { open } = await start({ guard: ClosedGuard } as Partial<AuthOptions>);
    const outcome = await open('guarded', tokenOf()).closed;
    expect(outcome).toEqual({ code: 'POLICY_DENIED', closeCode: isNative ? 4403 : undefined });
  });

  it('asks a policy once about a message, however many guards it meets', async () => {
    const asked: string[] = [];
    const { open } = await start({}, (place) => {
      @WebSocketGateway(place('counted'))
      class CountedGateway extends AuthenticatedGateway {
        @SubscribeMessage('who')
        @RequirePolicy((token, context) => {
          asked.push(context.getHandler().name);
          return true;
        })
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [CountedGateway];
    });
    const socket = open('counted', tokenOf());
    for (const count of [1, 2]) {
      socket.send('who');
      expect(await socket.next('reply', 'exception')).toBe('ok alice');
      expect(asked).toHaveLength(count);
    }
  });

  it('is watched no more, nor ever, where its client left before it was admitted', async () => {
    let isAsked = false;
    let isGone = false;
    let admit: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (admit = resolve));
    const admitted: boolean[] = [];
    const options = {
      user: async () => {
        isAsked = true;
        await gate;
        return {};
      },
    };
    const { open, app } = await start(options, (place): Type[] => {
      @WebSocketGateway(place('by-hand'))
      class ByHandGateway {
        constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

        async handleConnection(client: object, request?: unknown) {
          admitted.push(await this.connections.admit(this, client, request));
        }

        handleDisconnect() {
          isGone = true;
        }
      }
      return [ByHandGateway];
    });
    const socket = open('by-hand', tokenOf());
    await until(() => isAsked);
    socket.close();
    await until(() => isGone);
    admit?.();
    await until(() => admitted.length === 1);
    expect(watchedBy(app)).toBe(0);
  });

  describe('that is opened to two gateways', () => {
    const twoGateways = (place: Parameters<NonNullable<Parameters<typeof kind.start>[2]>>[0]): Type[] => {
      @RequireScopes('read')
      @WebSocketGateway(place('shared'))
      class StrictGateway extends AuthenticatedGateway {
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }

      @Public()
      @WebSocketGateway(place('shared'))
      class OpenGateway extends AuthenticatedGateway {}
      return [StrictGateway, OpenGateway];
    };

    it('is refused where one of them refuses it', async () => {
      const { open } = await start({}, twoGateways);
      expect((await open('shared').closed).code).toBe('TOKEN_MISSING');
      expect((await open('shared', tokenOf({ scope: 'write' })).closed).code).toBe('SCOPE_INSUFFICIENT');
    });

    it('has a new token asked what each of them requires, and is answered once', async () => {
      const { open } = await start({}, twoGateways);
      const socket = open('shared', tokenOf());
      socket.send('authenticate', tokenOf({ scope: 'write' }));
      expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
      socket.send('authenticate', tokenOf());
      expect(await socket.next('authenticated', 'exception')).toHaveProperty('expiresAt');
      socket.send('who');
      // What was said before the answer is there, too.
      expect(await socket.next('reply', 'authenticated', 'exception')).toBe('ok alice');
    });

    it.each(['first', 'last'])('is answered by the one that extends AuthenticatedGateway: %s', async (order) => {
      const { open } = await start({}, (place): Type[] => {
        @WebSocketGateway(place('mixed'))
        class ByHandGateway {
          constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

          handleConnection(client: object, request?: unknown) {
            return this.connections.admit(this, client, request);
          }
        }

        @WebSocketGateway(place('mixed'))
        class OursGateway extends AuthenticatedGateway {}
        return order === 'first' ? [OursGateway, ByHandGateway] : [ByHandGateway, OursGateway];
      });
      const socket = open('mixed', tokenOf());
      socket.send('authenticate', tokenOf());
      expect(await socket.next('authenticated', 'exception')).toHaveProperty('expiresAt');
    });

    it('has the application asked once who opens it, and once who renews its token', async () => {
      let asked = 0;
      const options = {
        user: () => {
          asked += 1;
          return {};
        },
      };
      const { open } = await start(options, (place) => {
        @WebSocketGateway(place('shared'))
        class FirstGateway extends AuthenticatedGateway {}

        @WebSocketGateway(place('shared'))
        class SecondGateway extends AuthenticatedGateway {}
        return [FirstGateway, SecondGateway];
      });
      const socket = open('shared', tokenOf());
      socket.send('authenticate', tokenOf());
      await socket.next('authenticated');
      expect(asked).toBe(2);
    });

    it('is closed when its new token expires', async () => {
      const { open, app } = await start({}, twoGateways);
      const socket = open('shared', tokenOf());
      socket.send('authenticate', tokenOf({ exp: nowSeconds() + 10 }));
      await socket.next('authenticated');
      await pass(9);
      expect(watchedBy(app)).toBe(1);
      await pass(1);
      expect((await socket.closed).code).toBe('TOKEN_EXPIRED');
    });
  });

  it('whose opening is public is closed when the token expires that it sent later', async () => {
    const { open, app } = await start({}, (place) => {
      @Public()
      @WebSocketGateway(place('public'))
      class PublicGateway extends AuthenticatedGateway {}
      return [PublicGateway];
    });
    const socket = open('public');
    const exp = nowSeconds() + 10;
    socket.send('authenticate', tokenOf({ exp }));
    expect(await socket.next('authenticated', 'exception')).toEqual({ expiresAt: exp });
    await pass(9);
    expect(watchedBy(app)).toBe(1);
    await pass(1);
    expect((await socket.closed).code).toBe('TOKEN_EXPIRED');
  });

  it.each([
    ['another client', 'ours', 'theirs', 'CLAIM_INVALID'],
    ['no client', 'ours', undefined, 'CLAIM_INVALID'],
    ['no client, having named none before', undefined, undefined, 'CLAIM_INVALID'],
    ['the same client', 'ours', 'ours', undefined],
  ])('whose token names no subject sends a new one of %s', async (_what, before, client, code) => {
    const { open } = await start();
    const socket = open('guarded', tokenOf({ sub: undefined, client_id: before }));
    socket.send('closed');
    await socket.next('reply');
    socket.send('authenticate', tokenOf({ sub: undefined, client_id: client, jti: 'another' }));
    expect(((await socket.next('authenticated', 'exception')) as { code?: string }).code).toBe(code);
  });

  it('belongs to one caller, also where each message has a token of its own', async () => {
    const tokenFrom: AuthOptions['tokenFrom'] = [
      (context) => context.switchToWs().getData<{ token?: string } | undefined>()?.token,
    ];
    const { open } = await start({ tokenFrom }, (place) => {
      @WebSocketGateway(place('messages'))
      class MessagesGateway extends AuthenticatedGateway {
        @Public()
        override handleConnection(client: object, request?: unknown) {
          return super.handleConnection(client, request);
        }

        @OptionalAuth()
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [MessagesGateway];
    });
    const socket = open('messages');
    socket.send('who', { token: tokenOf() });
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    socket.send('who', { token: tokenOf({ sub: 'bob' }) });
    expect(await socket.next('reply', 'exception')).toMatchObject({ code: 'CLAIM_INVALID' });
    socket.send('who', { token: tokenOf({ jti: 'another' }) });
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
    // Nor by way of a message without one.
    socket.send('who', {});
    expect(await socket.next('reply', 'exception')).toBe('ok guest');
    socket.send('who', { token: tokenOf({ sub: 'bob' }) });
    expect(await socket.next('reply', 'exception')).toMatchObject({ code: 'CLAIM_INVALID' });
    socket.send('authenticate', tokenOf({ sub: 'bob' }));
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'CLAIM_INVALID' });
  });

  it('may have a few new tokens wait for their turn, and none that is too long to be one', async () => {
    let decide: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (decide = resolve));
    let asked = 0;
    const { open } = await start({
      user: async ({ claims }) => {
        asked += 1;
        if (asked > 1) await gate;
        return claims;
      },
    });
    const socket = open('guarded', tokenOf());
    for (let count = 0; count < 5; count += 1) socket.send('authenticate', tokenOf());
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'TOKEN_MULTIPLE' });
    socket.send('authenticate', 'x'.repeat(40_000));
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'TOKEN_TOO_LARGE' });
    decide?.();
    for (let count = 0; count < 4; count += 1)
      expect(await socket.next('authenticated', 'exception')).toHaveProperty('expiresAt');
    socket.send('authenticate', tokenOf());
    expect(await socket.next('authenticated', 'exception')).toHaveProperty('expiresAt');
  });

  it('of a guest stays that of a guest when his token is refused', async () => {
    const { open } = await start({ require: { scopes: ['api'] } }, (place) => {
      @OptionalAuth()
      @WebSocketGateway(place('half-open'))
      class HalfOpenGateway extends AuthenticatedGateway {
        @Public()
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }
      }
      return [HalfOpenGateway];
    });
    const socket = open('half-open');
    socket.send('authenticate', tokenOf());
    expect(await socket.next('authenticated', 'exception')).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok guest');
    socket.send('authenticate', tokenOf({ scope: 'api' }));
    await socket.next('authenticated');
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok alice');
  });

  it('meets nothing that is required by a token that expired, whatever a guard of the application lets pass', async () => {
    class LenientGuard extends AuthGuard {
      override handleRequest<User>(_error: unknown, user: User): User {
        return (user === false ? undefined : user) as User;
      }
    }
    const options = { connections: { renewalGraceSeconds: 30 }, guard: LenientGuard } as Partial<AuthOptions>;
    const { open } = await start(options, (place) => {
      @WebSocketGateway(place('lenient'))
      class LenientGateway extends AuthenticatedGateway {
        @SubscribeMessage('who')
        who(@CurrentUser('sub') sub?: string) {
          return reply(greeting(sub));
        }

        @SubscribeMessage('read')
        @RequireScopes('read')
        read() {
          return reply('read');
        }
      }
      return [LenientGateway];
    });
    const socket = open('lenient', tokenOf({ exp: nowSeconds() + 10 }));
    socket.send('read');
    expect(await socket.next('reply', 'exception')).toBe('read');
    await pass(10);
    expect(await socket.next('exception')).toMatchObject({ code: 'TOKEN_EXPIRED' });
    socket.send('who');
    expect(await socket.next('reply', 'exception')).toBe('ok guest');
    socket.send('read');
    expect(await socket.next('reply', 'exception')).toMatchObject({ code: 'TOKEN_MISSING' });
  });
});

describe('A client of socket.io', () => {
  const start = async () => {
    running = await SOCKET_IO.start(issuer, { clock: Date.now }, () => {
      @WebSocketGateway({ namespace: 'ours' })
      class OursGateway extends AuthenticatedGateway {}

      @WebSocketGateway({ namespace: 'by-hand' })
      class ByHandGateway {
        constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

        handleConnection(client: object) {
          return this.connections.admit(this, client);
        }
      }
      return [OursGateway, ByHandGateway];
    });
    return running;
  };

  it.each([
    ['/by-hand', '/ours'],
    ['/ours', '/by-hand'],
  ])('keeps its other namespaces where %s refuses it', async (namespace, other) => {
    const { url } = await start();
    const manager = new Manager(url, { transports: ['websocket'], reconnection: false });
    const kept = manager.socket(other, { auth: { token: tokenOf() } });
    await until(() => kept.connected);
    const refused = manager.socket(namespace, { auth: { token: 'not-a-token' } });
    let isRefused = false;
    refused.on('disconnect', () => (isRefused = true)).on('connect_error', () => (isRefused = true));
    await until(() => isRefused);
    expect(kept.connected).toBe(true);
    kept.disconnect();
  });

  it.each(['/by-hand', '/ours'])(
    'that stays though %s refuses it has its transport closed, unless it is let in elsewhere',
    async (namespace) => {
      const timers = jest.spyOn(globalThis, 'setTimeout');
      const { url, app } = await start();
      // One that does as it likes: engine.io 4 by hand.
      const raw = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
      const told: string[] = [];
      raw.on('message', (text: Buffer) => told.push(text.toString()));
      const closed = new Promise((resolve) => raw.on('close', resolve));
      const say = async (text: string, answer: string) => {
        raw.send(text);
        await until(() => told.some((line) => line.startsWith(answer)));
      };
      await until(() => told.length === 1);
      const [refused, letIn] = [namespace, namespace === '/ours' ? '/by-hand' : '/ours'];
      await say(`40${refused},{"token":"not-a-token"}`, namespace === '/ours' ? '44/ours' : '41/by-hand');
      await say(`40${letIn},{"token":"${tokenOf()}"}`, `40${letIn}`);
      const overdue = () => {
        const meant = timers.mock.calls.flatMap(([act, delay]) => (delay === 15_000 ? [act] : []));
        for (const act of meant) act();
        return meant.length;
      };
      expect(overdue()).toBe(1);
      // Whom nothing was closed for is answered.
      await say('40/nowhere,', '44/nowhere');
      await until(() => watchedBy(app) === 1);
      raw.send(`41${letIn},`);
      await until(() => watchedBy(app) === 0);
      overdue();
      await closed;
      timers.mockRestore();
    },
  );

  it('hears nothing that is sent to all before it is admitted', async () => {
    let isAsked = false;
    let decide: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (decide = resolve));
    const options: Partial<AuthOptions> = {
      clock: Date.now,
      user: async ({ claims }) => {
        isAsked = true;
        await gate;
        return claims.sub === 'alice' ? claims : undefined;
      },
    };
    let server: { emit(event: string, data: unknown): unknown } | undefined;
    running = await SOCKET_IO.start(issuer, options, (place) => {
      @WebSocketGateway(place('news'))
      class NewsGateway extends AuthenticatedGateway {
        // Its own is called as well.
        afterInit(namespace: { emit(event: string, data: unknown): unknown }) {
          server = namespace;
        }
      }
      return [NewsGateway];
    });
    const alice = running.open('news', tokenOf());
    const mallory = running.open('news', tokenOf({ sub: 'mallory' }));
    const heard: unknown[] = [];
    void mallory.next('reply').then((news) => heard.push(news));
    await until(() => isAsked);
    server?.emit('reply', 'secret');
    decide?.();
    expect((await mallory.closed).code).toBe('USER_REFUSED');
    const news = alice.next('reply');
    const stop = setInterval(() => server?.emit('reply', 'public'), 10);
    expect(await news).toBe('public');
    clearInterval(stop);
    expect(heard).toEqual([]);
  });

  it('is told by `connect_error` what an `exception` event would say, and nothing of a fault of ours', async () => {
    running = await SOCKET_IO.start(issuer, { clock: Date.now });
    const refused = io(`${running.url}/guarded`, { transports: ['websocket'], forceNew: true });
    const { message, data } = await new Promise<Error & { data?: unknown }>((resolve) =>
      refused.on('connect_error', resolve),
    );
    refused.close();
    expect([message, data]).toEqual([
      'An access token is required',
      {
        status: 'error',
        statusCode: 401,
        code: 'TOKEN_MISSING',
        message: 'An access token is required',
        challenge: 'Bearer',
      },
    ]);
  });

  it.each(['recovered', /^\/recovered-\d$/])(
    'gets no session back, nor the rooms of one: namespace %s',
    async (namespace) => {
      const rooms: string[][] = [];
      running = await SOCKET_IO.start(issuer, { clock: Date.now }, () => {
        @WebSocketGateway({ namespace, connectionStateRecovery: { maxDisconnectionDuration: 60_000 } })
        class RecoveringGateway extends AuthenticatedGateway {
          override async handleConnection(client: { readonly rooms: Set<string>; join(room: string): unknown }) {
            rooms.push([...client.rooms]);
            await client.join('of-alice');
          }

          @SubscribeMessage('who')
          who(@CurrentUser('sub') sub?: string) {
            return reply(greeting(sub));
          }
        }
        return [RecoveringGateway];
      });
      const path = typeof namespace === 'string' ? namespace : 'recovered-1';
      const socket = io(`${running.url}/${path}`, {
        transports: ['websocket'],
        forceNew: true,
        reconnectionDelay: 1,
        auth: { token: tokenOf() },
      });
      const answer = () => new Promise((resolve) => socket.once('reply', resolve));
      socket.emit('who');
      // A session can be recovered from the first message on.
      expect(await answer()).toBe('ok alice');
      socket.auth = { token: tokenOf({ sub: 'bob' }) };
      const again = new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
      socket.io.engine.close();
      await again;
      expect(socket.recovered).toBe(false);
      socket.emit('who');
      expect(await answer()).toBe('ok bob');
      expect(rooms.map(({ length }) => length)).toEqual([1, 1]);
      socket.close();
    },
  );

  it('that is refused again and again is looked at once', async () => {
    const { url } = await start();
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const raw = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const told: string[] = [];
    raw.on('message', (text: Buffer) => told.push(text.toString()));
    await until(() => told.length === 1);
    for (let count = 0; count < 20; count += 1) raw.send('40/ours,{"token":"not-a-token"}');
    await until(() => told.length === 21);
    expect(timers.mock.calls.filter(([, delay]) => delay === 15_000)).toHaveLength(1);
    timers.mockRestore();
    raw.close();
  });
});
