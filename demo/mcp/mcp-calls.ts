import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type { CallResult } from '../calls.js';
import { makeCalls, type SampleResult } from '../sample-calls.js';
import { McpUser } from './mcp-user.js';

/** Makes the calls of an MCP client, which finds the authorization server, registers, signs the user in, calls tools and requests more scopes. */
export async function makeMcpCalls(api: string, apiToken: string): Promise<readonly SampleResult[]> {
  const user = new McpUser('alice');
  const client = new Client({ name: 'demo', version: '1.0.0' });
  const transport = () => new StreamableHTTPClientTransport(new URL('/mcp', api), { authProvider: user });

  const refused = await makeCalls(api, [
    { sends: 'no token', to: 'POST /mcp', expected: '401 TOKEN_MISSING' },
    { sends: 'token for the orders API', to: 'POST /mcp', token: apiToken, expected: '401 AUDIENCE_MISMATCH' },
    { sends: 'no token', to: 'GET /.well-known/oauth-protected-resource/mcp', expected: '200' },
  ]);
  const first = transport();
  const flow = [
    await row('MCP client without a token', 'mcp', 'user is asked', () => outcomeOf(user, () => client.connect(first))),
  ];
  await first.finishAuth(user.response);
  const second = transport();
  await client.connect(second);
  const call = (name: string) =>
    outcomeOf(user, () => client.callTool({ name, arguments: name === 'place-order' ? { item: 'a lamp' } : {} }));
  flow.push(
    await row('token of alice', 'mcp tools/list', '200', async () => {
      const { tools } = await client.listTools();
      return { outcome: '200', detail: tools.map(({ name }) => name).join(', ') };
    }),
    await row('token of alice', 'mcp list-orders', '200', () => call('list-orders')),
    await row('token of alice', 'mcp place-order', 'user is asked', () => call('place-order')),
  );
  await second.finishAuth(user.response);
  flow.push(await row('new token of alice', 'mcp place-order', '200', () => call('place-order')));
  await client.close();
  return [...refused, ...flow];
}

async function row(sends: string, to: string, expected: string, act: () => Promise<CallResult>): Promise<SampleResult> {
  const result = await act();
  return { sends, to, expected, ...result, isExpected: result.outcome === expected };
}

/** The client throws when it needs the user. The scopes are those of the challenge. */
async function outcomeOf(user: McpUser, act: () => Promise<unknown>): Promise<CallResult> {
  try {
    const result = (await act()) as { content?: readonly { text?: string }[] } | undefined;
    return { outcome: '200', detail: result?.content?.[0]?.text ?? '' };
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    return { outcome: 'user is asked', detail: `scope ${user.requested.at(-1)?.get('scope') ?? ''}` };
  }
}
