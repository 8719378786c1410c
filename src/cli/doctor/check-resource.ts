import { isFetchableAddress, withoutQuery } from '../../model/address.js';
import { printable, quoted } from '../../model/printable-text.js';
import type { ExchangeRequest } from '../../remote/http-exchange.js';
import { type Challenge, parseChallenges } from './challenge-parser.js';
import { checkIssuer } from './check-issuer.js';
import type { CheckReport } from './check-report.js';
import { checkMetadata, claimsIn, type Examination } from './check-resource-metadata.js';
import { checkServerForClients } from './check-server-for-clients.js';
import { checkToken } from './check-token.js';
import { failureFix, type Probe, probe } from './probe.js';
import { suggestConfiguration } from './suggested-configuration.js';

/**
 * Examines a protected resource as an MCP client finds it: its challenges, its metadata (RFC 9728), and what a client needs from its
 * authorization server. With a token, also whether the resource accepts it.
 * @returns whether the resource and its authorization server can be reached.
 */
export async function checkResource(examination: Examination, token: string | undefined): Promise<boolean> {
  const { resource, allowHttp, report } = examination;
  if (!isFetchableAddress(resource, allowHttp)) {
    const fix =
      'Write the https address that clients use, without credentials and fragment (RFC 9728 §1.2). In a closed network, use --allow-http.';
    report.add('resource', 'problem', `${quoted(withoutQuery(resource))} is not an https URL`, fix, 'https://…');
    return true;
  }
  report.add('resource', 'ok', quoted(withoutQuery(resource)));
  const guarded = await checkChallenges(examination);
  if (guarded === undefined) return false;
  const servers = await checkMetadata(examination, guarded.parameters.resource_metadata);
  const isReachable = await checkServer(examination, servers, token);
  if (token !== undefined) checkAccepted(await send(examination, guarded.methods[0] ?? 'GET', token), token, report);
  return isReachable;
}

type Method = 'GET' | 'POST';

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

/** Sends GET, or a ping of the Model Context Protocol. Only the status and the headers of the response matter. */
function send({ resource, options }: Examination, method: Method, token?: string): Promise<Probe> {
  const headers = {
    accept: 'application/json, text/event-stream',
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const request: ExchangeRequest = { method, headers, ...(method === 'POST' && { body: PING }) };
  return probe(resource, { ...options, readsBody: false }, request);
}

/** The methods that need a token, and the challenge for a call without one. */
interface Guarded {
  readonly methods: readonly Method[];
  readonly parameters: Challenge['parameters'];
}

/**
 * Calls without a token and with a wrong one. MCP clients use POST, others GET.
 * @returns undefined if the resource cannot be reached
 */
async function checkChallenges(examination: Examination): Promise<Guarded | undefined> {
  const { report } = examination;
  const calls = [await send(examination, 'GET'), await send(examination, 'POST')] as const;
  const [get, post] = calls;
  if (get.status === undefined && post.status === undefined) {
    report.add('challenge', 'problem', get.failure ?? '', failureFix(get));
    return undefined;
  }
  const isStream = get.headers.get('content-type')?.startsWith('text/event-stream') === true;
  // A page for people beside a guarded POST is no API.
  const isOpen = isSuccess(post) || (isSuccess(get) && (isStream || post.status !== 401));
  const methods = (['GET', 'POST'] as const).filter((_method, index) => calls[index]?.status === 401);
  const refused = [post, get].filter(({ status }) => status === 401);
  const parameters = refused.map(challengeOf).find((each) => each !== undefined);
  const found = `GET answers ${describe(get)}, POST ${describe(post)}`;
  const expected = '401 with WWW-Authenticate: Bearer';
  if (isOpen || methods.length === 0) {
    const fix = isOpen ? OPEN_FIX : (failureFix(get) ?? NO_CHALLENGE_FIX);
    report.add('challenge', 'problem', found, fix, expected);
  } else if (parameters === undefined) {
    const fix = 'Send WWW-Authenticate: Bearer … with each 401 (RFC 6750 §3). Clients read from it what to do.';
    report.add('challenge', 'problem', found, fix, expected);
  } else {
    report.add('challenge', 'ok', expected);
    checkParameters(parameters, report);
  }
  const wrong: Probe[] = [];
  for (const method of methods) wrong.push(await send(examination, method, 'doctor'));
  if (wrong.length > 0) checkWrongToken(wrong, report);
  return { methods, parameters: parameters ?? {} };
}

const OPEN_FIX =
  'Let the resource answer 401 to each call without a token. If the address is that of a public page, write the one that clients call.';
const NO_CHALLENGE_FIX =
  'Let the resource answer 401 to a call without a token. If the address is wrong, write the one that clients call; after a redirect, its target.';

function isSuccess({ status = 0 }: Probe): boolean {
  return status >= 200 && status < 300;
}

/** Without the address of the failure, which the report has. */
function describe({ status, headers, address, failure = '' }: Probe): string {
  if (status === undefined) return failure.slice(address.length + 2);
  const challenge = headers.get('www-authenticate');
  const target = status >= 300 && status < 400 ? ` (${failure.replace(/^.*, to /s, 'to ')})` : '';
  return `${String(status)}${target}${challenge === null ? '' : ` with ${quoted(challenge)}`}`;
}

function challengeOf({ headers }: Probe): Challenge['parameters'] | undefined {
  const challenges = parseChallenges(headers.get('www-authenticate') ?? '');
  return challenges?.find(({ scheme }) => scheme === 'bearer')?.parameters;
}

/** RFC 6750 §3, RFC 9728 §5.1. */
function checkParameters(parameters: Challenge['parameters'], report: CheckReport): void {
  const { resource_metadata: address, scope, error } = parameters;
  if (address === undefined) {
    const fix =
      'Add resource_metadata="…" to the challenge (RFC 9728 §5.1). Otherwise clients have to try the well-known addresses.';
    report.add('challenge-metadata', 'warning', 'no resource_metadata', fix);
  } else report.add('challenge-metadata', 'ok', quoted(address));
  if (error === undefined) report.add('challenge-error', 'ok', 'no error for a call without a token');
  else {
    const fix =
      'Omit the error for a call without a token (RFC 6750 §3.1): clients may discard a token that they have.';
    report.add('challenge-error', 'warning', `error=${quoted(error)} for a call without a token`, fix);
  }
  if (scope === undefined) {
    const fix =
      'Name the scopes of the call, so that MCP clients request them (RFC 6750 §3). Ignore this if the call needs no scope.';
    report.add('challenge-scope', 'warning', 'no scope', fix);
  } else if (scope.split(' ').includes('offline_access'))
    report.add('challenge-scope', 'warning', quoted(scope), 'Remove offline_access, which a resource never needs.');
  else report.add('challenge-scope', 'ok', quoted(scope));
}

/** RFC 6750 §3.1. */
function checkWrongToken(calls: readonly Probe[], report: CheckReport): void {
  const isRefused = (call: Probe) => call.status === 401 && challengeOf(call)?.error === 'invalid_token';
  const worst = calls.find(isSuccess) ?? calls.find((call) => !isRefused(call));
  if (worst === undefined) {
    report.add('wrong-token', 'ok', '401 with error="invalid_token"');
    return;
  }
  const fix = isSuccess(worst)
    ? 'The resource accepts any text as a token. Verify tokens before you serve a call.'
    : 'Refuse a token that is not valid with 401 and error="invalid_token" (RFC 6750 §3.1), so that clients get a new one.';
  const status = isSuccess(worst) ? 'problem' : 'warning';
  report.add('wrong-token', status, describe(worst), fix, '401, error="invalid_token"');
}

/** Examines the server that issued the token, or the first, which clients use. */
async function checkServer(
  examination: Examination,
  servers: readonly string[],
  token: string | undefined,
): Promise<boolean> {
  const { resource, audience = [resource], allowHttp, clockToleranceSeconds, options, report } = examination;
  const claims = token === undefined ? undefined : claimsIn(token);
  const issuer = servers.find((server) => server === claims?.iss) ?? servers[0];
  if (issuer === undefined) {
    if (token !== undefined) report.add('token.form', 'skipped', 'not checked', 'Correct the metadata first.');
    return true;
  }
  const request = { issuer, audience, jwksUri: undefined, allowHttp, clockToleranceSeconds };
  const { isReachable, keySet } = await checkIssuer(request, options, report);
  // Their fixes are for the option `issuer` of this package.
  for (const { check, found } of report.select('problem'))
    if (OF_ISSUER_NAME.has(check)) report.add(check, 'problem', found, SERVER_FIX, quoted(issuer));
  if (isReachable) await checkServerForClients(issuer, examination);
  if (token === undefined) return isReachable;
  if (claims === undefined) report.add('token.form', 'skipped', 'no JWT, so only the resource can judge it');
  else {
    await checkToken(token, suggestConfiguration(request), keySet, options.clock, report);
    if (!servers.some((server) => server === claims.iss)) {
      const fix = 'The token is from another issuer than those of the metadata. Request one there, or add the issuer.';
      report.add(
        'token.issuer',
        'problem',
        quoted(claims.iss),
        fix,
        servers.map((server) => quoted(server)).join(', '),
      );
    }
  }
  return isReachable;
}

const OF_ISSUER_NAME: ReadonlySet<string> = new Set(['issuer', 'discovery', 'metadata-issuer']);
const SERVER_FIX =
  'Correct authorization_servers in the metadata of the resource, or the metadata of the server: both must have the issuer exactly as `iss` of its tokens.';

/** The responses that an API gives after it has authenticated a call: it does not know the method, or the body. */
const AFTER_AUTHENTICATION: ReadonlySet<number | undefined> = new Set([400, 404, 405, 406, 415]);

function checkAccepted(call: Probe, token: string, report: CheckReport): void {
  const { status } = call;
  const { error = '', scope = '' } = challengeOf(call) ?? {};
  // A server may repeat the token in a challenge.
  const detail = [error && `error ${error}`, scope && `scope ${scope}`].filter((part) => part !== '').join(', ');
  const found = printable(`status ${String(status)}${detail && `, ${detail.replaceAll(token, '…')}`}`);
  const rejected = report.select('problem').filter(({ check }) => check.startsWith('token.'));
  if (status === undefined) report.add('accepted', 'problem', 'no response', failureFix(call));
  else if (status === 401) {
    const fix =
      rejected.length > 0
        ? `See ${rejected.map(({ check }) => check).join(', ')}.`
        : 'Compare the issuer and the audience that the resource expects with those of the token.';
    report.add('accepted', 'problem', found, fix);
  } else if (status === 403 && error === 'insufficient_scope')
    report.add('accepted', 'warning', found, 'The token is valid. Request one with the scopes of the challenge.');
  else if (!isSuccess(call) && !AFTER_AUTHENTICATION.has(status)) {
    const fix =
      'The response does not show whether the token was accepted. See the log of the resource, or of a proxy.';
    report.add('accepted', 'warning', found, fix);
  } else if (rejected.length > 0) {
    const names = rejected.map(({ check }) => check).join(', ');
    const fix = `Let the resource reject such a token. If it expects another audience on purpose, write it with --audience.`;
    report.add('accepted', 'problem', `${found}, although ${names} has a problem`, fix, '401');
  } else report.add('accepted', 'ok', found);
}
