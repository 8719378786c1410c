import { type AuthorizationServer, Stranger } from './authorization-server.js';
import { callGraphql, callHttp, callSocket, type Outcome } from './calls.js';
import { signIn } from './sign-in.js';
import type { RouteReport } from 'nestjs-resource-server';

interface Call {
  readonly what: string;
  /** `GET /orders`, `query { orders { id } }`, `socket orders`; `socket` alone opens one. */
  readonly to: string;
  readonly token?: string;
  /** The answers that are right; one, mostly. */
  readonly expected: string | readonly string[];
}

export interface Answer extends Call, Outcome {
  readonly isExpected: boolean;
}

const SUCCESS = '200';

/** The main job: good tokens are let in, everything else is refused for a reason that is said. */
export async function showMainJob(
  api: string,
  server: AuthorizationServer,
  { audience, otherAudience, redirectUri }: { audience: string; otherAudience: string; redirectUri: string },
): Promise<readonly Answer[]> {
  const now = Math.floor(Date.now() / 1000);
  const job = await server.clientCredentialsToken(audience);
  const person = await signIn(server, { login: 'alice', redirectUri, resource: audience });
  const calls: readonly Call[] = [
    { what: 'no token', to: 'GET /orders', expected: '401 TOKEN_MISSING' },
    { what: "a job's token (client credentials)", to: 'GET /orders', token: job, expected: SUCCESS },
    {
      what: "a person's token (authorization code, PKCE)",
      to: 'GET /orders/mine',
      token: person.accessToken,
      expected: SUCCESS,
    },
    {
      what: 'an expired token',
      to: 'GET /orders',
      token: server.sign({ iat: now - 900, exp: now - 600 }),
      expected: '401 TOKEN_EXPIRED',
    },
    {
      what: "a forged token (another key, the issuer's key id)",
      to: 'GET /orders',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    {
      what: 'a token for another audience',
      to: 'GET /orders',
      token: await server.clientCredentialsToken(otherAudience),
      expected: '401 AUDIENCE_MISMATCH',
    },
    {
      what: "the person's ID token",
      to: 'GET /orders',
      token: person.idToken,
      expected: '401 AUDIENCE_MISMATCH',
    },
    { what: 'a guest where guests may come', to: 'GET /orders/catalogue', expected: SUCCESS },
    {
      what: 'a forged token where guests may come',
      to: 'GET /orders/catalogue',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    { what: 'a public route', to: 'GET /orders/health', expected: SUCCESS },
    { what: 'her own order', to: 'GET /orders/1', token: person.accessToken, expected: SUCCESS },
    { what: "another's order", to: 'GET /orders/2', token: person.accessToken, expected: '403 POLICY_DENIED' },
    {
      what: 'a scope that is missing',
      to: 'POST /orders',
      token: person.accessToken,
      expected: '403 SCOPE_INSUFFICIENT',
    },
    { what: 'a scope that is there', to: 'POST /orders', token: job, expected: '201' },
    { what: 'GraphQL, no token', to: 'query { orders { item } }', expected: 'refused TOKEN_MISSING' },
    { what: 'GraphQL, the person', to: 'query { orders { item } }', token: person.accessToken, expected: SUCCESS },
    {
      what: 'GraphQL, a scope that is missing',
      to: 'mutation { createOrder(item: "a lamp") { id } }',
      token: person.accessToken,
      expected: 'refused SCOPE_INSUFFICIENT',
    },
    { what: 'GraphQL, a public query', to: 'query { catalogue }', expected: SUCCESS },
    { what: 'opening a socket, no token', to: 'socket', expected: 'refused TOKEN_MISSING' },
    { what: 'a socket, the person', to: 'socket orders', token: person.accessToken, expected: 'orders' },
    {
      what: 'a socket, a scope that is missing',
      to: 'socket create',
      token: person.accessToken,
      expected: 'refused SCOPE_INSUFFICIENT',
    },
  ];
  return answersTo(calls, api);
}

/** For an issuer of which we have no token: what can be seen from outside. That its keys can be had shows too. */
export async function showClosed(api: string, issuer: string, audience: string): Promise<readonly Answer[]> {
  const stranger = new Stranger();
  const calls: readonly Call[] = [
    { what: 'no token', to: 'GET /orders', expected: '401 TOKEN_MISSING' },
    {
      what: 'a forged token of this issuer',
      to: 'GET /orders',
      token: stranger.forge({ iss: issuer, aud: audience }),
      expected: ['401 KEY_UNKNOWN', '401 SIGNATURE_INVALID'],
    },
    {
      what: 'a token of an issuer that is not trusted',
      to: 'GET /orders',
      token: stranger.forge({ iss: 'https://stranger.example.com/', aud: audience }),
      expected: '401 ISSUER_UNTRUSTED',
    },
    { what: 'a public route', to: 'GET /orders/health', expected: SUCCESS },
  ];
  return answersTo(calls, api);
}

/** One after another: some create orders, which others list. */
async function answersTo(calls: readonly Call[], api: string): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const call of calls) answers.push(await answerTo(call, api));
  return answers;
}

async function answerTo(call: Call, api: string): Promise<Answer> {
  const outcome = await outcomeOf(call, api);
  return { ...call, ...outcome, isExpected: [call.expected].flat().includes(outcome.got) };
}

function outcomeOf({ to, token }: Call, api: string): Promise<Outcome> {
  const [kind = '', target] = to.split(' ');
  if (kind === 'query' || kind === 'mutation') return callGraphql(api, to, token);
  return kind === 'socket' ? callSocket(api, target, token) : callHttp(api, kind, target ?? '', token);
}

export function toTable(answers: readonly Answer[]): string {
  const rows = answers.map(({ what, to, got, why, isExpected }) => [
    isExpected ? 'ok' : 'NOT EXPECTED',
    what,
    clip(to, 34),
    got,
    clip(why, 46),
  ]);
  return aligned([['', 'sent', 'to', 'answer', 'why'], ...rows]);
}

/** Every door of the application, and what it asks of a caller. */
export function toRouteTable({ routes }: RouteReport): string {
  const rows = routes.map(({ transport, kind, pattern, access, requires }) => [
    access,
    transport,
    `${kind} ${pattern}`,
    requires.map(({ decorator, needs }) => `@${decorator} ${needs}`).join(', '),
  ]);
  return aligned([['access', 'over', 'door', 'requires'], ...rows]);
}

function aligned(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_cell, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}

function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
