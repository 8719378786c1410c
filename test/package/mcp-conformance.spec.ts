import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type RunningApi, startApi } from '../../demo/api.js';
import { AuthorizationServer, CLIENT } from '../../demo/authorization-server.js';
import { authorize } from '../../demo/sign-in.js';
import { emptyFolder, run, write } from './packed.js';

/** Runs one flow of the OAuth conformance test of MCPJam. The parent process is the browser of the user. */
const SCRIPT = `import { OAuthConformanceTest } from '@mcpjam/sdk';
const openUrl = (address) => Promise.resolve(process.send({ address }));
const { flow } = JSON.parse(process.argv[2]);
const auth = { mode: 'interactive', openUrl };
const verification = { listTools: true, callTool: { name: 'list-orders' } };
const result = await new OAuthConformanceTest({ auth, verification, oauthConformanceChecks: true, ...flow }).run();
process.send({ result }, () => process.exit(0));
`;

interface Message {
  readonly address?: string;
  readonly result?: {
    readonly passed: boolean;
    readonly summary: string;
    readonly steps: readonly { readonly step: string; readonly status: string }[];
    readonly verification?: object;
  };
}

const JOB = { clientId: CLIENT.id, clientSecret: CLIENT.secret };

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let server: AuthorizationServer;
let api: RunningApi;

beforeAll(async () => {
  folder = await emptyFolder();
  // The version of the client that the test needs, and does not name exactly.
  const dependencies = { '@mcpjam/sdk': '1.14.0', '@modelcontextprotocol/client': '2.0.0-alpha.2' };
  await write(folder.path, { 'package.json': { private: true, type: 'module', dependencies }, 'run.mjs': SCRIPT });
  await run(folder.path, 'npm', 'install', '--ignore-scripts');
  server = await AuthorizationServer.start({ audiences: ['https://orders.example.com'], canRegister: true });
  api = await startApi({ issuer: server.issuer, audience: 'https://orders.example.com' }, { canSignIn: false });
}, 240_000);

afterAll(async () => {
  await api.app.close();
  await server.stop();
  await folder.remove();
}, 60_000);

it.each<[string, object]>([
  ['registration, revision 2025-11-25', { protocolVersion: '2025-11-25', registrationStrategy: 'dcr' }],
  ['registration, revision 2025-06-18', { protocolVersion: '2025-06-18', registrationStrategy: 'dcr' }],
  [
    'client credentials',
    {
      protocolVersion: '2025-11-25',
      registrationStrategy: 'preregistered',
      auth: { mode: 'client_credentials', ...JOB },
      client: { preregistered: JOB },
      scopes: 'read:orders',
    },
  ],
])(
  'The conformance test of MCPJam finds no failure in the demo: %s',
  async (_what, given) => {
    const flow = { serverUrl: `${api.url}/mcp`, ...given };
    const child = fork(join(folder.path, 'run.mjs'), [JSON.stringify({ flow })], { execArgv: [] });
    const messages: Message[] = [];
    const signIns: Promise<void>[] = [];
    child.on('message', (message: Message) => {
      messages.push(message);
      if (message.address !== undefined) signIns.push(signIn(message.address));
    });
    await once(child, 'exit');
    await Promise.all(signIns);
    const result = messages.at(-1)?.result;
    expect(result?.steps.filter(({ status }) => status === 'failed')).toEqual([]);
    expect([result?.passed, result?.verification]).toEqual([
      true,
      { listTools: expect.objectContaining({ passed: true }), callTool: expect.objectContaining({ passed: true }) },
    ]);
  },
  60_000,
);

async function signIn(address: string): Promise<void> {
  const redirectUri = new URL(address).searchParams.get('redirect_uri') ?? '';
  const response = await authorize(address, redirectUri, 'alice');
  await fetch(`${redirectUri}?${response.toString()}`);
}
