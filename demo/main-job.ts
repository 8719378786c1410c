import { type AuthorizationServer, Stranger } from './authorization-server.js';
import { signIn } from './sign-in.js';

interface Call {
  readonly what: string;
  readonly path: string;
  readonly token?: string;
  /** The answers that are right; one, mostly. */
  readonly expected: string | readonly string[];
}

export interface Answer extends Call {
  readonly got: string;
  readonly why: string;
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
    { what: 'no token', path: '/orders', expected: '401 TOKEN_MISSING' },
    { what: "a job's token (client credentials)", path: '/orders', token: job, expected: SUCCESS },
    {
      what: "a person's token (authorization code, PKCE)",
      path: '/orders/mine',
      token: person.accessToken,
      expected: SUCCESS,
    },
    {
      what: 'an expired token',
      path: '/orders',
      token: server.sign({ iat: now - 900, exp: now - 600 }),
      expected: '401 TOKEN_EXPIRED',
    },
    {
      what: "a forged token (another key, the issuer's key id)",
      path: '/orders',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    {
      what: 'a token for another audience',
      path: '/orders',
      token: await server.clientCredentialsToken(otherAudience),
      expected: '401 AUDIENCE_MISMATCH',
    },
    {
      what: "the person's ID token",
      path: '/orders',
      token: person.idToken,
      expected: '401 AUDIENCE_MISMATCH',
    },
    { what: 'a guest where guests may come', path: '/orders/catalogue', expected: SUCCESS },
    {
      what: 'a forged token where guests may come',
      path: '/orders/catalogue',
      token: server.forge(),
      expected: '401 SIGNATURE_INVALID',
    },
    { what: 'a public route', path: '/orders/health', expected: SUCCESS },
  ];
  return Promise.all(calls.map((call) => answerTo(call, api)));
}

/** For an issuer of which we have no token: what can be seen from outside. That its keys can be had shows too. */
export async function showClosed(api: string, issuer: string, audience: string): Promise<readonly Answer[]> {
  const stranger = new Stranger();
  const calls: readonly Call[] = [
    { what: 'no token', path: '/orders', expected: '401 TOKEN_MISSING' },
    {
      what: 'a forged token of this issuer',
      path: '/orders',
      token: stranger.forge({ iss: issuer, aud: audience }),
      expected: ['401 KEY_UNKNOWN', '401 SIGNATURE_INVALID'],
    },
    {
      what: 'a token of an issuer that is not trusted',
      path: '/orders',
      token: stranger.forge({ iss: 'https://stranger.example.com/', aud: audience }),
      expected: '401 ISSUER_UNTRUSTED',
    },
    { what: 'a public route', path: '/orders/health', expected: SUCCESS },
  ];
  return Promise.all(calls.map((call) => answerTo(call, api)));
}

async function answerTo(call: Call, api: string): Promise<Answer> {
  const response = await fetch(api + call.path, {
    headers: call.token === undefined ? {} : { authorization: `Bearer ${call.token}` },
  });
  const body = (await response.json()) as { code?: string; message?: string };
  const got = response.ok ? String(response.status) : `${String(response.status)} ${body.code ?? ''}`;
  const why = response.ok ? JSON.stringify(body) : (body.message ?? '');
  return { ...call, got, why, isExpected: [call.expected].flat().includes(got) };
}

export function toTable(answers: readonly Answer[]): string {
  const rows = answers.map(({ what, path, got, why, isExpected }) => [
    isExpected ? 'ok' : 'NOT EXPECTED',
    what,
    `GET ${path}`,
    got,
    clip(why),
  ]);
  const table = [['', 'sent', 'to', 'answer', 'why'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function clip(text: string): string {
  return text.length > 70 ? `${text.slice(0, 69)}…` : text;
}
