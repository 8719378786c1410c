import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { All, Controller, Get, type INestApplication, Post, Req, Res, Sse, type Type } from '@nestjs/common';
import { NEVER } from 'rxjs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { McpUser } from '../../demo/mcp/mcp-user.js';
import {
  authHook,
  AuthMiddleware,
  AuthModule,
  type AuthOptions,
  OptionalAuth,
  Public,
  RequireScopes,
} from '../../src/index.js';
import { type McpAuthInfo, McpEndpoint, type McpEndpointOptions } from '../../src/mcp.js';
import { holdTime, pass } from '../support/held-time.js';
import {
  bearer,
  call,
  closeApps,
  fastifyOf,
  type Platform,
  PLATFORMS,
  type RunningApp,
  startApp,
} from '../support/app.js';

interface NestRequest {
  readonly raw?: IncomingMessage;
  readonly body?: unknown;
}
type NestResponse = ServerResponse & { readonly raw?: ServerResponse; hijack?(): unknown };

const READ = ['orders:read'];
const TOOLS = { 'delete-order': ['orders:read', 'orders:write'] };

/** What the tool `whoami` answers. */
const identify = (auth: McpAuthInfo | undefined) => ({
  content: [{ type: 'text' as const, text: JSON.stringify(auth) }],
});

function server2(): McpServer {
  const server = new McpServer({ name: 'orders', version: '1.0.0' });
  server.registerTool('whoami', { description: 'The caller' }, (context) => identify(context.http?.authInfo as never));
  server.registerTool('delete-order', { description: 'Deletes' }, () => ({
    content: [{ type: 'text', text: 'deleted' }],
  }));
  return server;
}

function server1(): McpServer1 {
  const server = new McpServer1({ name: 'orders', version: '1.0.0' });
  server.registerTool('whoami', { description: 'The caller' }, ({ authInfo }) => identify(authInfo as never));
  server.registerTool('delete-order', { description: 'Deletes' }, () => ({
    content: [{ type: 'text', text: 'deleted' }],
  }));
  return server;
}

const handle2 = toNodeHandler(createMcpHandler(server2));

@Controller('mcp')
@McpEndpoint({ tools: TOOLS })
@RequireScopes(...READ)
class ModernController {
  @All()
  serve(@Req() request: NestRequest & IncomingMessage, @Res() response: NestResponse) {
    response.hijack?.();
    return handle2(request.raw ?? request, response.raw ?? response, request.body);
  }
}

@Controller('legacy')
@McpEndpoint({ tools: TOOLS })
@RequireScopes(...READ)
class LegacyController {
  private readonly sessions = new Map<string, StreamableHTTPServerTransport>();

  @All()
  async serve(@Req() request: NestRequest & IncomingMessage, @Res() response: NestResponse) {
    response.hijack?.();
    const raw = request.raw ?? request;
    const known = this.sessions.get(String(raw.headers['mcp-session-id']));
    const transport =
      known ??
      new StreamableHTTPServerTransport({
        sessionIdGenerator: () => `session-${String(this.sessions.size)}`,
        onsessioninitialized: (id) => {
          this.sessions.set(id, transport);
        },
      });
    if (known === undefined) await server1().connect(transport);
    await transport.handleRequest(raw, response.raw ?? response, request.body);
  }
}

let authorizationServer: AuthorizationServer;

beforeAll(async () => {
  authorizationServer = await AuthorizationServer.start({
    audiences: ['https://unused.example.com'],
    scopes: ['orders:read', 'orders:write'],
    canRegister: true,
  });
});

afterEach(closeApps);
afterAll(() => authorizationServer.stop());

const PUBLIC_URL = 'https://api.example.com';

async function start(
  platform: Platform,
  controllers: readonly Type[] = [ModernController, LegacyController],
  prepare?: (app: INestApplication) => void | Promise<void>,
  options: Partial<AuthOptions> = {},
) {
  const auth = AuthModule.forRoot({
    issuer: authorizationServer.issuer,
    publicUrl: PUBLIC_URL,
    resource: {},
    resources: { '/mcp': {}, '/legacy': {} },
    clockToleranceSeconds: 0,
    ...options,
  } as AuthOptions);
  const app: RunningApp = await startApp(platform, { imports: [auth], controllers: [...controllers] }, { prepare });
  /** Reaches the application at its public address, as through a proxy. */
  const viaProxy: typeof fetch = (address, init) => {
    const { href } = new URL(address instanceof Request ? address.url : address);
    return fetch(href.startsWith(PUBLIC_URL) ? href.replace(PUBLIC_URL, app.url) : href, init);
  };
  const tokenFor = (path: string, claims = {}) =>
    authorizationServer.sign({ aud: PUBLIC_URL + path, client_id: 'client', scope: 'orders:read', ...claims });
  /** Sends one message, or another body. */
  const post = (path: string, message: unknown, token?: string, headers: Record<string, string> = {}) => {
    const sent = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers };
    return call(app.url + path, { ...sent, ...(token && bearer(token)) }, 'POST', JSON.stringify(message));
  };
  return { ...app, viaProxy, tokenFor, post };
}

type McpApp = Awaited<ReturnType<typeof start>>;

/** Guards `/mcp` before the body is read. */
const guardInFront = (platform: Platform) => (app: INestApplication) => {
  if (platform === 'express') app.use('/mcp', app.get(AuthMiddleware).for('/mcp'));
  else fastifyOf(app).addHook('onRequest', authHook(app, '/mcp'));
};

/** Opens a session of the legacy endpoint, and returns its header. */
async function openSession({ post, tokenFor }: McpApp) {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
  const { headers } = await post('/legacy', initialize, tokenFor('/legacy'));
  return { 'mcp-session-id': String(headers['mcp-session-id']) };
}

const toolCall = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text ?? '';

describe.each(PLATFORMS)('The unmodified clients of the SDKs on %s', (platform) => {
  it.each<[string, string, string]>([
    ['2.x (revision 2026-07-28)', 'https://api.example.com/mcp', '2.x'],
    ['2.x', 'https://api.example.com/mcp', '2.x'],
    ['2.x', 'https://api.example.com/legacy', '1.x'],
    ['1.x', 'https://api.example.com/mcp', '2.x'],
    ['1.x', 'https://api.example.com/legacy', '1.x'],
  ])(
    'find the authorization server, register, sign in, call tools, and get more scopes: client %s, %s (server %s)',
    async (version, address) => {
      const app = await start(platform, undefined, guardInFront(platform));
      const user = new McpUser('alice');
      const isNewest = version.includes('2026-07-28');
      const namedInHeaders = new Set<string | null>();
      const recording: typeof fetch = (url, init) => {
        namedInHeaders.add(new Headers(init?.headers).get('mcp-name'));
        return app.viaProxy(url, init);
      };
      const connect = () => {
        const options = { authProvider: user, fetch: recording };
        const Transport = version === '1.x' ? Transport1 : StreamableHTTPClientTransport;
        const transport = new Transport(new URL(address), options);
        const info = { name: 'test', version: '1.0.0' };
        const client =
          version === '1.x'
            ? new Client1(info)
            : new Client(info, { versionNegotiation: { mode: isNewest ? 'auto' : 'legacy' } });
        return { client, transport, connected: client.connect(transport) };
      };
      // Version 2 also checks the issuer of the response (RFC 9207).
      const finish = (transport: StreamableHTTPClientTransport | Transport1) =>
        transport.finishAuth((version === '1.x' ? user.response.get('code') : user.response) as string);
      const first = connect();
      await expect(first.connected).rejects.toThrow(/unauthorized/i);
      await finish(first.transport);
      expect(user.requested[0]?.get('resource')).toBe(address);
      expect(user.requested[0]?.get('scope')).toBe('orders:read');

      const second = connect();
      await second.connected;
      const { client, transport } = second;
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['whoami', 'delete-order']);
      const auth = JSON.parse(textOf(await client.callTool({ name: 'whoami', arguments: {} }))) as McpAuthInfo;
      expect(auth).toMatchObject({ token: '', scopes: ['orders:read'], resource: address });
      expect(auth.extra).toMatchObject({ claims: { sub: 'alice', aud: address }, user: { sub: 'alice' } });
      expect(auth.expiresAt).toBeGreaterThan(Date.now() / 1000);
      expect(JSON.stringify(auth)).not.toContain(user.tokens()?.access_token);

      // The scope of the tool is missing: the client asks the user for all scopes of the challenge.
      await expect(client.callTool({ name: 'delete-order', arguments: {} })).rejects.toThrow();
      expect(user.requested.at(-1)?.get('scope')?.split(' ')).toEqual(
        expect.arrayContaining(['orders:read', 'orders:write']),
      );
      await finish(transport);
      expect(textOf(await client.callTool({ name: 'delete-order', arguments: {} }))).toBe('deleted');
      expect(namedInHeaders.has('delete-order')).toBe(isNewest);
      await client.close();
    },
    20_000,
  );
});

describe('@McpEndpoint()', () => {
  it.each<[string, object, string]>([
    [
      'scopes that are no list',
      { tools: { remove: 'orders:write' } },
      '@McpEndpoint().tools.remove: is not a list of scopes',
    ],
    ['a scope with a space', { tools: { remove: ['orders write'] } }, '@McpEndpoint().tools.remove'],
    ['an unknown option', { tool: {} }, '@McpEndpoint().tool: is unknown'],
    ['a resource that is no path', { resource: 'mcp' }, '@Resource("mcp"): is not a path'],
  ])('throws for %s', (_what, options, message) => {
    expect(() => McpEndpoint(options)).toThrow(message);
  });
});

describe.each(PLATFORMS)('An MCP endpoint on %s', (platform) => {
  const METADATA = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/legacy"';

  it('refuses a tool whose scopes the token lacks, and names all scopes of the call', async () => {
    const app = await start(platform);
    const outcome = async (message: unknown, claims = {}, headers = {}) => {
      const { status, body } = await app.post('/mcp', message, app.tokenFor('/mcp', claims), headers);
      return typeof body.code === 'string' ? `${String(status)} ${body.code}` : String(status);
    };
    const remove = toolCall('delete-order');
    // Also those of the tool, if the token lacks the scope of the route.
    for (const claims of [{}, { scope: '' }]) {
      const { status, headers } = await app.post('/legacy', remove, app.tokenFor('/legacy', claims));
      expect([status, headers['www-authenticate']]).toEqual([
        403,
        `Bearer error="insufficient_scope", error_description="The access token lacks a required scope", scope="orders:read orders:write", ${METADATA}`,
      ]);
    }
    expect(await outcome(remove)).toBe('403 SCOPE_INSUFFICIENT');
    expect(await outcome(remove, { scope: 'orders:read orders:write' })).toBe('200');
    expect(await outcome(toolCall('whoami'))).toBe('200');
    expect(await outcome(toolCall('whoami'), { scope: 'orders:write' })).toBe('403 SCOPE_INSUFFICIENT');
    // Every message of a list counts.
    expect(await outcome([toolCall('whoami'), remove])).toBe('403 SCOPE_INSUFFICIENT');
    // Whatever the method of the request is, if it has a body.
    const json = { ...bearer(app.tokenFor('/mcp')), 'content-type': 'application/json' };
    const put = await call(`${app.url}/mcp`, json, 'PUT', JSON.stringify(remove));
    expect(put.body.code).toBe('SCOPE_INSUFFICIENT');
    // No member that every object inherits is a tool.
    expect(await outcome(toolCall('constructor'))).toBe('200');
  });

  describe('compares the headers', () => {
    /** Answers 201 to each call that the guard admits. */
    const endpointWith = (options: McpEndpointOptions) => {
      @Controller('mcp')
      @McpEndpoint(options)
      class EndpointController {
        @Post()
        serve() {
          return 'served';
        }
      }
      return EndpointController;
    };
    const outcome = async (options: McpEndpointOptions, message: unknown, headers: Record<string, string>) => {
      const app = await start(platform, [endpointWith(options)]);
      const { status, body } = await app.post('/mcp', message, app.tokenFor('/mcp'), headers);
      return body.code ?? status;
    };
    const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
    const message = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params });
    const NOT_JSON = { 'content-type': 'application/octet-stream' };

    it.each<[string, unknown, Record<string, string>]>([
      ['another tool', toolCall('whoami'), { 'mcp-method': 'tools/call', 'mcp-name': 'delete-order' }],
      ['another tool, encoded', toolCall('whoami'), { 'mcp-name': encoded('delete-order') }],
      ['another method', toolCall('whoami'), { 'mcp-method': 'tools/list' }],
      ['another resource', message('resources/read', { uri: 'file:///a', name: 'b' }), { 'mcp-name': 'b' }],
      ['one of several messages', [toolCall('whoami'), toolCall('whoami')], { 'mcp-name': 'whoami' }],
      ['a name, for a message without one', message('tools/list', {}), { 'mcp-name': 'whoami' }],
      ['a method, for an empty list', [], { 'mcp-method': 'tools/list' }],
      ['a message, in a body that is none', [7], { 'mcp-method': 'tools/list' }],
      ['a message, in a body without a method', { id: 1 }, { 'mcp-method': 'tools/list' }],
    ])('and refuses %s (MCP_REQUEST_INVALID)', async (_what, body, headers) => {
      expect(await outcome({ tools: TOOLS }, body, headers)).toBe('MCP_REQUEST_INVALID');
      expect(await outcome({}, body, headers)).toBe('MCP_REQUEST_INVALID');
    });

    it.each<[string, unknown, Record<string, string>]>([
      ['a tool', toolCall('whoami'), { 'mcp-method': 'tools/call', 'mcp-name': 'whoami' }],
      ['a tool, encoded', toolCall('whoami'), { 'mcp-method': 'tools/call', 'mcp-name': encoded('whoami') }],
      ['a resource', message('resources/read', { uri: 'file:///a' }), { 'mcp-name': 'file:///a' }],
      [
        'a prompt with the name of a tool',
        message('prompts/get', { name: 'delete-order' }),
        { 'mcp-name': 'delete-order' },
      ],
      ['nothing, for a response', { jsonrpc: '2.0', id: 1, result: {} }, {}],
      ['a tool without a name', message('tools/call', {}), { 'mcp-method': 'tools/call' }],
    ])('and accepts %s', async (_what, body, headers) => {
      expect(await outcome({ tools: TOOLS }, body, headers)).toBe(201);
    });

    it('with a body that is parsed, which a table of tools needs', async () => {
      // Fastify itself refuses a content type that it does not know.
      const isExpress = platform === 'express';
      expect(await outcome({ tools: TOOLS }, {}, NOT_JSON)).toBe(isExpress ? 'MCP_REQUEST_INVALID' : 415);
      expect(await outcome({}, {}, NOT_JSON)).toBe(isExpress ? 201 : 415);
    });
  });

  it('rejects a token of the API, and of another resource of the same issuer', async () => {
    const app = await start(platform);
    for (const aud of ['', '/legacy', '/api']) {
      const { status, body } = await app.post('/mcp', toolCall('whoami'), app.tokenFor(aud));
      expect([status, body.code]).toEqual([401, 'AUDIENCE_MISMATCH']);
    }
  });

  it('binds a session to the caller that opened it', async () => {
    const app = await start(platform);
    const session = await openSession(app);
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    const status = async (claims: object, sent = session) =>
      (await app.post('/legacy', list, app.tokenFor('/legacy', claims), sent)).status;
    expect(await status({})).toBe(200);
    // A new token of the same caller.
    expect(await status({ jti: 'renewed' })).toBe(200);
    expect(await status({ sub: 'bob' })).toBe(404);
    expect(await status({}, { 'mcp-session-id': 'unknown' })).toBe(404);
  });

  it('has one list of sessions for handlers that are decorated separately, which guests cannot use', async () => {
    @Controller('legacy')
    class Separate {
      @Post()
      @McpEndpoint()
      open(@Res() response: NestResponse) {
        response.hijack?.();
        (response.raw ?? response).writeHead(200, { 'mcp-session-id': 'session' }).end();
      }

      @Get()
      @McpEndpoint()
      @OptionalAuth()
      read() {
        return 'stream';
      }
    }
    const app = await start(platform, [Separate]);
    await app.post('/legacy', toolCall('any'), app.tokenFor('/legacy'));
    const read = async (headers: object) =>
      (await call(`${app.url}/legacy`, { 'mcp-session-id': 'session', ...headers })).status;
    expect(await read(bearer(app.tokenFor('/legacy')))).toBe(200);
    expect(await read(bearer(app.tokenFor('/legacy', { sub: 'bob' })))).toBe(404);
    expect(await read({})).toBe(404);
    expect(await read({ 'mcp-session-id': 'of a guest' })).toBe(200);
  });

  it('does not start if it is public', async () => {
    @Controller('mcp')
    class PublicController {
      @All()
      @McpEndpoint()
      @Public()
      serve() {
        return 'open';
      }
    }
    await expect(start(platform, [PublicController])).rejects.toThrow('@McpEndpoint() would never be used');
  });

  describe('ends with the token', () => {
    holdTime();

    const EXPIRES_SECONDS = 10;
    const expiring = () => ({ exp: Date.now() / 1000 + EXPIRES_SECONDS });
    const EVENT_STREAM = { 'content-type': 'text/event-stream' };

    it('an open stream of the SDK', async () => {
      const app = await start(platform);
      const session = await openSession(app);
      const headers = { ...bearer(app.tokenFor('/legacy', expiring())), ...session, accept: 'text/event-stream' };
      const response = await fetch(`${app.url}/legacy`, { headers });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      await pass(EXPIRES_SECONDS);
      expect(await response.text()).toContain('TOKEN_EXPIRED');
    });

    it('a stream that starts after it', async () => {
      const steps = new EventEmitter();
      const isCalled = once(steps, 'called');
      @Controller('mcp')
      @McpEndpoint()
      class LateController {
        @Get()
        async serve(@Res() response: NestResponse) {
          response.hijack?.();
          steps.emit('called');
          await once(steps, 'expired');
          (response.raw ?? response).writeHead(200, EVENT_STREAM).write('data: first\n\n');
        }
      }
      const app = await start(platform, [LateController]);
      const response = fetch(`${app.url}/mcp`, { headers: bearer(app.tokenFor('/mcp', expiring())) });
      await isCalled;
      await pass(EXPIRES_SECONDS);
      steps.emit('expired');
      const { body } = await response;
      await pass(1);
      expect(await text(body as never)).toContain('TOKEN_EXPIRED');
    });

    it('no response that is not a stream', async () => {
      const steps = new EventEmitter();
      @Controller('mcp')
      @McpEndpoint()
      class SlowController {
        @Get()
        async serve(@Res() response: NestResponse) {
          response.hijack?.();
          const raw = response.raw ?? response;
          raw.writeHead(200, { 'content-type': 'application/json' }).write('[1,');
          await once(steps, 'expired');
          raw.end('2]');
        }
      }
      const app = await start(platform, [SlowController], guardInFront(platform));
      const response = await fetch(`${app.url}/mcp`, { headers: bearer(app.tokenFor('/mcp', expiring())) });
      await pass(EXPIRES_SECONDS);
      steps.emit('expired');
      expect(await response.json()).toEqual([1, 2]);
    });

    it('a stream of Nest behind the middleware, also before it starts', async () => {
      const steps = new EventEmitter();
      const isCalled = once(steps, 'called');
      @Controller('mcp/late')
      class LateController {
        @Sse()
        async serve() {
          steps.emit('called');
          await once(steps, 'expired');
          return NEVER;
        }
      }
      const app = await start(platform, [LateController], guardInFront(platform));
      const response = fetch(`${app.url}/mcp/late`, { headers: bearer(app.tokenFor('/mcp', expiring())) });
      await isCalled;
      await pass(EXPIRES_SECONDS);
      const { status, body } = await response;
      expect([status, await text(body as never)]).toEqual([401, expect.stringContaining('TOKEN_EXPIRED')]);
      steps.emit('expired');
    });

    it('a stream of what is mounted behind the middleware', async () => {
      const app = await start(platform, [], (created) => {
        guardInFront(platform)(created);
        const serve = (response: ServerResponse) => response.writeHead(200, EVENT_STREAM).write('data: first\n\n');
        if (platform === 'express')
          created.use('/mcp', (_request: object, response: ServerResponse) => void serve(response));
        else
          fastifyOf(created).get('/mcp', (_request, reply) => {
            reply.hijack();
            serve(reply.raw);
          });
      });
      const response = await fetch(`${app.url}/mcp`, { headers: bearer(app.tokenFor('/mcp', expiring())) });
      await pass(EXPIRES_SECONDS);
      expect(await response.text()).toMatch(/first[^]*TOKEN_EXPIRED/);
    });
  });

  it('needs a known resource for the middleware', async () => {
    const { app } = await start(platform, [], undefined, {
      publicUrl: undefined,
      resource: { identifier: PUBLIC_URL },
      resources: {},
    });
    const middleware = app.get(AuthMiddleware);
    expect(() => middleware.for('/mcp')).toThrow('AuthMiddleware.for("/mcp"): is not in `resources`');
    expect(() => middleware.for('mcp')).toThrow('is not a path');
  });

  describe('with the middleware in front', () => {
    const calling = (tool: string) => ({ 'mcp-method': 'tools/call', 'mcp-name': tool });
    const startBehind = (controllers?: readonly Type[]) => start(platform, controllers, guardInFront(platform));
    /** The status and the challenged scopes. The body is larger than the limit of the parser. */
    const early = async (app: McpApp, tool: string, token?: string, names = calling(tool)) => {
      const tooLarge = { ...toolCall(tool), text: 'x'.repeat(2 ** 21) };
      const { status, headers } = await app.post('/mcp', tooLarge, token, names);
      return [status, / scope="(.*?)"/.exec(String(headers['www-authenticate']))?.[1]];
    };
    const READ_TOO_LATE = [413, undefined];

    it('refuses, before the body is read, calls without a valid token, and tools whose scopes the token lacks', async () => {
      const [behind, alone] = [await startBehind(), await start(platform)];
      const [reader, none, writer] = ['orders:read', '', 'orders:read orders:write'].map((scope) =>
        behind.tokenFor('/mcp', { scope }),
      );
      expect(await early(behind, 'delete-order')).toEqual([401, 'orders:read']);
      expect(await early(behind, 'delete-order', reader)).toEqual([403, 'orders:read orders:write']);
      expect(await early(behind, 'delete-order', none)).toEqual([403, 'orders:read orders:write']);
      expect(await early(behind, 'delete-order', writer)).toEqual(READ_TOO_LATE);
      expect(await early(behind, 'whoami', reader)).toEqual(READ_TOO_LATE);
      const prompt = { 'mcp-method': 'prompts/get', 'mcp-name': 'delete-order' };
      expect(await early(behind, 'whoami', reader, prompt)).toEqual(READ_TOO_LATE);
      const { status } = await call(`${behind.url}/mcp`, { ...bearer(String(reader)), ...calling('delete-order') });
      expect(status).not.toBe(403);
      for (const each of [undefined, reader, none])
        expect(await early(alone, 'delete-order', each)).toEqual(READ_TOO_LATE);
    });

    it('compares the headers with the body afterwards', async () => {
      const app = await startBehind();
      const ask = async (message: unknown, headers = {}) => {
        const { status, body } = await app.post('/mcp', message, app.tokenFor('/mcp'), headers);
        return body.code ?? status;
      };
      expect(await ask(toolCall('delete-order'), calling('whoami'))).toBe('MCP_REQUEST_INVALID');
      expect(await ask(toolCall('delete-order'))).toBe('SCOPE_INSUFFICIENT');
      expect(await ask(toolCall('whoami'), calling('whoami'))).toBe(200);
    });

    it('needs to know which endpoint is called', async () => {
      @Controller('mcp')
      class OneController {
        @Post()
        @McpEndpoint({ tools: { remove: ['first:remove'] } })
        @RequireScopes('first')
        serve() {
          return 'served';
        }

        @Get()
        @McpEndpoint()
        listen() {
          return 'served';
        }
      }
      @Controller('mcp/second')
      @McpEndpoint({ tools: { remove: ['second:remove'] } })
      class SecondController {
        @Post()
        serve() {
          return 'served';
        }
      }
      const one = await startBehind([OneController]);
      expect(await early(one, 'remove')).toEqual([401, 'first']);
      expect(await early(one, 'remove', one.tokenFor('/mcp'))).toEqual([403, 'first first:remove']);
      const several = await startBehind([OneController, SecondController]);
      expect(await early(several, 'remove')).toEqual([401, undefined]);
      expect(await early(several, 'remove', several.tokenFor('/mcp'))).toEqual(READ_TOO_LATE);
    });
  });

  it('publishes the scopes of its tools', async () => {
    const app = await start(platform);
    const { body } = await call(`${app.url}/.well-known/oauth-protected-resource/mcp`);
    expect(body).toMatchObject({ scopes_supported: ['orders:read', 'orders:write'] });
  });

  it('gives @rekog/mcp-nest the scopes and roles of the token, and leaves a user of the application as it is', async () => {
    @Controller('mcp')
    @McpEndpoint()
    class UserController {
      @Get()
      read(@Req() request: NestRequest) {
        return ((request.raw ?? request) as { user?: object }).user;
      }
    }
    const claims = { scope: ['orders:write'], groups: ['staff'] };
    const options = { claimPaths: { roles: ['groups'] }, scopeImplications: { 'orders:write': ['orders:read'] } };
    const app = await start(platform, [UserController], undefined, options);
    const ask = async (running: typeof app) =>
      (await call(`${running.url}/mcp`, bearer(running.tokenFor('/mcp', claims)))).body;
    expect(await ask(app)).toMatchObject({ scope: 'orders:write orders:read', roles: ['staff'], groups: ['staff'] });
    // It would read the claim `scopes` of a token without a scope.
    const none = bearer(app.tokenFor('/mcp', { scope: '', scopes: ['orders:write'] }));
    expect((await call(`${app.url}/mcp`, none)).body).toMatchObject({ scope: '', scopes: [] });
    const user = () => ({ name: 'Alice' });
    expect(await ask(await start(platform, [UserController], undefined, { user }))).toEqual({ name: 'Alice' });
  });

  it('gives guests no caller, and no tool that needs scopes', async () => {
    @Controller('mcp')
    @McpEndpoint({ tools: TOOLS })
    @OptionalAuth()
    class OpenController {
      @All()
      serve(@Req() request: NestRequest & IncomingMessage, @Res() response: NestResponse) {
        return new ModernController().serve(request, response);
      }
    }
    const app = await start(platform, [OpenController]);
    expect((await app.post('/mcp', toolCall('delete-order'))).body.code).toBe('TOKEN_MISSING');
    const { status, text } = await app.post('/mcp', toolCall('whoami'));
    expect([status, text]).toEqual([200, expect.not.stringContaining('clientId')]);
  });
});
