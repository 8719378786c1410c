import type { RouteReport } from 'nestjs-resource-server';
import { type AuthorizationServer, Forger } from './authorization-server.js';
import { callGraphql, callHttp, callSocket, type CallResult } from './calls.js';
import { signIn } from './sign-in.js';

interface SampleCall {
  /** The credentials that are sent, for a person to read. */
  readonly sends: string;
  /** `GET /orders`, `query { orders { id } }`, `socket orders`. `socket` alone only opens a socket. */
  readonly to: string;
  readonly token?: string;
  /** The correct result, or several. */
  readonly expected: string | readonly string[];
}

export interface SampleResult extends SampleCall, CallResult {
  readonly isExpected: boolean;
}

const SUCCESS = '200';

/** Calls the API with valid and with invalid tokens, over HTTP, GraphQL and WebSocket. */
export async function makeSampleCalls(
  api: string,
  server: AuthorizationServer,
  { audience, otherAudience, redirectUri }: { audience: string; otherAudience: string; redirectUri: string },
): Promise<readonly SampleResult[]> {
  const now = Math.floor(Date.now() / 1000);
  const jobToken = await server.clientCredentialsToken(audience);
  const { accessToken: userToken, idToken } = await signIn(server, { login: 'alice', redirectUri, resource: audience });
  return makeCalls(api, [
    { sends: 'no token', to: 'GET /orders', expected: '401 TOKEN_MISSING' },
    { sends: 'token of a job (client credentials)', to: 'GET /orders', token: jobToken, expected: SUCCESS },
    {
      sends: 'token of a user (authorization code, PKCE)',
      to: 'GET /orders/mine',
      token: userToken,
      expected: SUCCESS,
    },
    {
      sends: 'expired token',
      to: 'GET /orders',
      token: server.sign({ iat: now - 900, exp: now - 600 }),
      expected: '401 TOKEN_EXPIRED',
    },
    {
      sends: "forged token (own key, issuer's key id)",
      to: 'GET /orders',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    {
      sends: 'token for another audience',
      to: 'GET /orders',
      token: await server.clientCredentialsToken(otherAudience),
      expected: '401 AUDIENCE_MISMATCH',
    },
    { sends: 'ID token of the user', to: 'GET /orders', token: idToken, expected: '401 AUDIENCE_MISMATCH' },
    { sends: 'no token, optional route', to: 'GET /orders/catalogue', expected: SUCCESS },
    {
      sends: 'forged token, optional route',
      to: 'GET /orders/catalogue',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    { sends: 'no token, public route', to: 'GET /orders/health', expected: SUCCESS },
    { sends: 'token of the owner', to: 'GET /orders/1', token: userToken, expected: SUCCESS },
    { sends: 'token of another user', to: 'GET /orders/2', token: userToken, expected: '403 POLICY_DENIED' },
    { sends: 'token without the scope', to: 'POST /orders', token: userToken, expected: '403 SCOPE_INSUFFICIENT' },
    { sends: 'token with the scope', to: 'POST /orders', token: jobToken, expected: '201' },
    { sends: 'no token', to: 'query { orders { item } }', expected: 'refused TOKEN_MISSING' },
    { sends: 'token of a user', to: 'query { orders { item } }', token: userToken, expected: SUCCESS },
    {
      sends: 'token without the scope',
      to: 'mutation { createOrder(item: "a lamp") { id } }',
      token: userToken,
      expected: 'refused SCOPE_INSUFFICIENT',
    },
    { sends: 'no token, public query', to: 'query { catalogue }', expected: SUCCESS },
    { sends: 'no token', to: 'socket', expected: 'refused TOKEN_MISSING' },
    { sends: 'token of a user', to: 'socket orders', token: userToken, expected: 'orders' },
    {
      sends: 'token without the scope',
      to: 'socket create',
      token: userToken,
      expected: 'refused SCOPE_INSUFFICIENT',
    },
  ]);
}

/** Calls the API without a valid token, for an issuer whose tokens the demo cannot get. This also shows that its keys can be fetched. */
export async function makeRefusedCalls(
  api: string,
  issuer: string,
  audience: string,
): Promise<readonly SampleResult[]> {
  const forger = new Forger();
  return makeCalls(api, [
    { sends: 'no token', to: 'GET /orders', expected: '401 TOKEN_MISSING' },
    {
      sends: 'forged token of this issuer',
      to: 'GET /orders',
      token: forger.sign({ iss: issuer, aud: audience }),
      expected: ['401 KEY_UNKNOWN', '401 SIGNATURE_INVALID'],
    },
    {
      sends: 'token of an untrusted issuer',
      to: 'GET /orders',
      token: forger.sign({ iss: 'https://untrusted.example.com/', aud: audience }),
      expected: '401 ISSUER_UNTRUSTED',
    },
    { sends: 'no token, public route', to: 'GET /orders/health', expected: SUCCESS },
  ]);
}

/** One after another, because some calls create orders that later calls list. */
export async function makeCalls(api: string, calls: readonly SampleCall[]): Promise<readonly SampleResult[]> {
  const results: SampleResult[] = [];
  for (const call of calls) {
    const result = await makeCall(api, call);
    results.push({ ...call, ...result, isExpected: [call.expected].flat().includes(result.outcome) });
  }
  return results;
}

function makeCall(api: string, { to, token }: SampleCall): Promise<CallResult> {
  const [kind = '', target] = to.split(' ');
  if (kind === 'query' || kind === 'mutation') return callGraphql(api, to, token);
  return kind === 'socket' ? callSocket(api, target, token) : callHttp(api, kind, target ?? '', token);
}

/** Formats the results as a table. */
export function formatResults(results: readonly SampleResult[]): string {
  const rows = results.map(({ sends, to, outcome, detail, isExpected }) => [
    isExpected ? 'ok' : 'NOT EXPECTED',
    sends,
    shortened(to, 34),
    outcome,
    shortened(detail, 46),
  ]);
  return formatTable([['', 'sent', 'to', 'outcome', 'response'], ...rows]);
}

/** Formats the routes of the application, and what each requires, as a table. */
export function formatRoutes({ routes }: RouteReport): string {
  const rows = routes.map(({ transport, kind, pattern, access, requires }) => [
    access,
    transport,
    `${kind} ${pattern}`,
    requires.map(({ decorator, needs }) => `@${decorator} ${needs}`).join(', '),
  ]);
  return formatTable([['access', 'transport', 'route', 'requires'], ...rows]);
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
