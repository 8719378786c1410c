import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer, call } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { emptyFolder, pack, run, start, write } from './packed.js';
import { writeReadmeApp } from './readme-app.js';

// Not in test/e2e: Jest cannot load this CommonJS package beside a Nest of ES modules.

const PUBLIC_URL = 'https://api.example.com';

const APPLICATION = `
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  MCP_STRATEGY,
  McpContext,
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  StreamableHttpTransport,
  Tool,
  ToolScopes,
} from '@rekog/mcp-nest';
import { AuthMiddleware, authHook, AuthModule } from 'nestjs-resource-server';
import { McpEndpoint } from 'nestjs-resource-server/mcp';
import { z } from 'zod';

const mountsItself = process.env.MOUNT === 'itself';
const transport = new StreamableHttpTransport({ stepUpAuthorization: !mountsItself });
const mcp = new McpStrategy({ name: 'my-mcp-server', version: '1.0.0', transports: [transport] });

@McpController()
class GreetingController {
  @Tool({
    name: 'greeting-tool',
    description: 'Returns a greeting with progress updates',
    parameters: z.object({ name: z.string().default('World') }),
  })
  async sayHello(@Payload() { name }: { name: string }, @Ctx() ctx: McpContext) {
    await ctx.reportProgress({ progress: 50, total: 100 });
    return { content: [{ type: 'text', text: \`Hello, \${name}!\` }] };
  }

  @Tool({ name: 'farewell', description: 'Ends' })
  @ToolScopes(['orders:write'])
  leave() {
    return { content: [{ type: 'text', text: 'Goodbye!' }] };
  }
}

@Controller('mcp')
@McpEndpoint()
class McpRoute extends McpHttpControllerFor({ get httpHandlers() { return mountsItself ? ({} as never) : transport.httpHandlers; } }) {}

@Module({
  imports: [
    AuthModule.forRoot({
      issuer: process.env.ISSUER as string,
      audience: '${PUBLIC_URL}',
      publicUrl: '${PUBLIC_URL}',
      resources: { '/mcp': {} },
    }),
  ],
  controllers: mountsItself ? [GreetingController] : [GreetingController, McpRoute],
  providers: [{ provide: MCP_STRATEGY, useValue: mcp }],
})
class McpModule {}

const isFastify = process.env.PLATFORM === 'fastify';
const app = isFastify
  ? await NestFactory.create(McpModule, new FastifyAdapter(), { logger: false })
  : await NestFactory.create(McpModule, { logger: false });
if (mountsItself && isFastify) app.getHttpAdapter().getInstance().addHook('onRequest', authHook(app, '/mcp'));
else if (mountsItself) app.use('/mcp', app.get(AuthMiddleware).for('/mcp'));
mcp.setHttpAdapter(app.getHttpAdapter());
app.connectMicroservice({ strategy: mcp });
await app.startAllMicroservices();
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
`;

const key = newKey('p-256');
let issuer: LocalIssuer;
let folder: Awaited<ReturnType<typeof emptyFolder>>;

beforeAll(async () => {
  issuer = await LocalIssuer.start([key]);
  folder = await emptyFolder();
  await writeReadmeApp(folder.path, {
    nest: '^12.0.0',
    tarball: await pack(folder.path),
    manifest: { type: 'module' },
    dependencies: {
      '@modelcontextprotocol/core': '^2.4.0',
      '@modelcontextprotocol/node': '^2.1.2',
      '@modelcontextprotocol/server': '^2.4.0',
      '@nestjs/microservices': '^12.0.0',
      '@rekog/mcp-nest': '^2.0.5',
      express: '^5.0.0',
      zod: '^4.3.5',
    },
    devDependencies: { typescript: '~6.0.3' },
  });
  await write(folder.path, { 'src/mcp.ts': APPLICATION });
  await run(folder.path, 'npm', 'install', '--ignore-scripts');
  await run(folder.path, 'npx', 'tsc');
}, 240_000);

afterAll(async () => {
  await issuer.stop();
  await folder.remove();
}, 60_000);

describe.each(['express', 'fastify'])('@rekog/mcp-nest on %s', (platform) => {
  const launch = async (mount: 'itself' | 'controller') => {
    const env = { ISSUER: issuer.url, PLATFORM: platform, MOUNT: mount };
    const { url, stop } = await start(folder.path, 'dist/mcp.js', env);
    const callTool = (name: string, aud?: string, scope = 'orders:read') => {
      const token = aud === undefined ? {} : bearer(issuer.token(key, 'ES256', { aud, scope, sub: 'alice' }));
      const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...token };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
      return call(`${url}/mcp`, headers, 'POST', JSON.stringify(message));
    };
    return { callTool, stop };
  };

  it('asks for the scopes of its own decorator, with the address of the metadata, if a controller serves it', async () => {
    const { callTool, stop } = await launch('controller');
    try {
      expect((await callTool('greeting-tool')).body.code).toBe('TOKEN_MISSING');
      expect((await callTool('greeting-tool', PUBLIC_URL)).body.code).toBe('AUDIENCE_MISMATCH');
      expect((await callTool('greeting-tool', `${PUBLIC_URL}/mcp`)).text).toContain('Hello, World!');
      const { status, headers } = await callTool('farewell', `${PUBLIC_URL}/mcp`);
      expect([status, headers['www-authenticate']]).toEqual([
        403,
        expect.stringContaining(`resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"`),
      ]);
      const answer = await callTool('farewell', `${PUBLIC_URL}/mcp`, 'orders:write');
      expect(answer.text).toContain('Goodbye!');
    } finally {
      await stop();
    }
  }, 60_000);

  it('is guarded as its README mounts it', async () => {
    const { callTool, stop } = await launch('itself');
    try {
      const { status, headers } = await callTool('greeting-tool');
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource/mcp"`,
      ]);
      expect((await callTool('greeting-tool', PUBLIC_URL)).body.code).toBe('AUDIENCE_MISMATCH');
      expect((await callTool('greeting-tool', `${PUBLIC_URL}/mcp`)).text).toContain('Hello, World!');
    } finally {
      await stop();
    }
  }, 60_000);
});
