import { isFetchableAddress, withoutTrailingSlashes } from '../../model/address.js';
import { printable, quoted } from '../../model/printable-text.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { METADATA_PATH, metadataUrlOf } from '../../options/resolve-resources.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import { parseChallenges } from './challenge-parser.js';
import { checkIssuer } from './check-issuer.js';
import type { CheckReport } from './check-report.js';
import { checkToken } from './check-token.js';
import { failureFix, type Probe, probe, type ProbeOptions } from './probe.js';
import { suggestConfiguration } from './suggested-configuration.js';

export interface ResourceRequest {
  readonly resource: string;
  readonly allowHttp: boolean;
  readonly clockToleranceSeconds: number;
}

type JsonObject = Readonly<Record<string, unknown>>;
type Send = (address: string, authorization?: string) => Promise<Probe>;

/**
 * Examines a protected resource as an MCP client finds it: its challenge, its metadata (RFC 9728), and what a client needs from its
 * first authorization server. With a token, also whether the resource accepts it.
 * @returns whether the resource and its authorization server can be reached.
 */
export async function checkResource(
  { resource, ...limits }: ResourceRequest,
  token: string | undefined,
  options: ProbeOptions,
  report: CheckReport,
): Promise<boolean> {
  if (!checkAddress(resource, limits.allowHttp, report)) return true;
  const send: Send = (address, authorization) => sendCall(address, authorization, options);
  const first = await send(resource);
  if (first.isUnreachable) {
    report.add('challenge', 'problem', first.failure ?? '', failureFix(first));
    return false;
  }
  const challenge = checkChallenge(first, report);
  if (challenge !== undefined) checkRefusedToken(await send(resource, 'Bearer doctor'), report);
  const metadata = await checkMetadata(resource, challenge?.resource_metadata, limits.allowHttp, options, report);
  const issuer = metadata && checkServers(metadata, limits.allowHttp, report);
  if (issuer === undefined) return true;
  const request = { issuer, audience: [resource], jwksUri: undefined, ...limits };
  const { isReachable, keySet, metadata: ofServer } = await checkIssuer(request, options, report);
  if (isJsonObject(ofServer)) checkServerForClients(ofServer, limits.allowHttp, report);
  if (token !== undefined) {
    await checkToken(token, suggestConfiguration(request), keySet, options.clock, report);
    checkAccepted(await send(resource, `Bearer ${token}`), report);
  }
  return isReachable;
}

/** RFC 9728 §1.2, RFC 8707 §2. */
function checkAddress(resource: string, allowHttp: boolean, report: CheckReport): boolean {
  if (!isFetchableAddress(resource, allowHttp)) {
    const fix =
      'Write the https address that clients use, without credentials and fragment (RFC 9728 §1.2). In a closed network, use --allow-http.';
    report.add('resource', 'problem', `${quoted(resource)} is not an https URL`, fix, 'https://…');
    return false;
  }
  report.add('resource', 'ok', quoted(resource));
  return true;
}

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });

/** Sends GET, and a ping of the Model Context Protocol to a server that has no route for GET. */
async function sendCall(address: string, authorization: string | undefined, options: ProbeOptions): Promise<Probe> {
  const headers = { accept: 'application/json, text/event-stream', ...(authorization && { authorization }) };
  const result = await probe(address, options, { headers });
  if (![400, 404, 405, 406].includes(result.status ?? 0)) return result;
  const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: PING } as const;
  return probe(address, options, post);
}

/** RFC 6750 §3, RFC 9728 §5.1. @returns the parameters of the challenge */
function checkChallenge({ status, headers }: Probe, report: CheckReport): JsonObject | undefined {
  const header = headers.get('www-authenticate');
  const challenge = parseChallenges(header ?? '')?.find(({ scheme }) => scheme === 'bearer')?.parameters;
  if (status !== 401 || challenge === undefined) {
    const found = `status ${String(status)}, ${header === null ? 'no WWW-Authenticate' : `WWW-Authenticate ${quoted(header)}`}`;
    const fix =
      status === 401
        ? 'Send WWW-Authenticate: Bearer … with a 401 (RFC 6750 §3). Without it, clients do not know what to do.'
        : 'Let the resource answer 401 to a call without a token. If the address is wrong, write the one that clients call.';
    report.add('challenge', 'problem', found, fix, '401 with WWW-Authenticate: Bearer');
    return undefined;
  }
  report.add('challenge', 'ok', '401 with WWW-Authenticate: Bearer');
  const { resource_metadata: address, scope, error } = challenge;
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
    const fix = 'Name the scopes of the call, so that clients request them (MCP authorization, RFC 6750 §3).';
    report.add('challenge-scope', 'warning', 'no scope', fix);
  } else checkOfflineAccess('challenge-scope', scope.split(' '), report);
  return challenge;
}

/** A refresh token is between the client and the authorization server. */
function checkOfflineAccess(
  check: 'challenge-scope' | 'metadata-members',
  scopes: readonly unknown[],
  report: CheckReport,
): void {
  const found = scopes.map((scope) => String(scope)).join(' ');
  if (!scopes.includes('offline_access')) report.add(check, 'ok', printable(`scope ${found}`));
  else
    report.add(
      check,
      'warning',
      printable(found),
      'Remove offline_access: the resource does not need it (MCP authorization).',
    );
}

/** RFC 6750 §3.1: a token that is not valid. */
function checkRefusedToken({ status, headers }: Probe, report: CheckReport): void {
  const challenges = parseChallenges(headers.get('www-authenticate') ?? '');
  const error = challenges?.find(({ scheme }) => scheme === 'bearer')?.parameters.error;
  if (status === 401 && error === 'invalid_token') return;
  const found = `status ${String(status)}${error === undefined ? '' : `, error=${quoted(error)}`} for a token that is not valid`;
  const accepted = status !== undefined && status < 400;
  const fix = accepted
    ? 'The resource accepts any text as a token. Verify tokens before you serve a call.'
    : 'Refuse a token that is not valid with 401 and error="invalid_token" (RFC 6750 §3.1), so that clients get a new one.';
  report.add('challenge-error', accepted ? 'problem' : 'warning', found, fix, '401 with error="invalid_token"');
}

async function checkMetadata(
  resource: string,
  named: unknown,
  allowHttp: boolean,
  options: ProbeOptions,
  report: CheckReport,
): Promise<JsonObject | undefined> {
  const wellKnown = [metadataUrlOf({ identifier: resource }), new URL(METADATA_PATH, resource).href];
  const locations = typeof named === 'string' ? [named] : [...new Set(wellKnown)];
  const failed: Probe[] = [];
  for (const location of locations) {
    if (!isFetchableAddress(location, allowHttp)) {
      const fix = 'Write an https address into resource_metadata (RFC 9728 §3).';
      report.add('resource-metadata', 'problem', `${quoted(location)} is not an https URL`, fix, 'https://…');
      return undefined;
    }
    const result = await probe(location, options);
    if (isJsonObject(result.body)) {
      checkDocument(result.body, location, result.headers, resource, allowHttp, report);
      return result.body;
    }
    failed.push(result);
  }
  const found = failed.map(({ address, failure }) => failure ?? `${address}: another JSON document`).join('; ');
  const fix =
    failureFix(...failed) ??
    'Serve the metadata at this address without a token (RFC 9728 §3). Let the proxy forward /.well-known/oauth-protected-resource and everything below it.';
  report.add('resource-metadata', 'problem', found, fix, 'protected resource metadata');
  return undefined;
}

function checkDocument(
  metadata: JsonObject,
  location: string,
  headers: Headers,
  resource: string,
  allowHttp: boolean,
  report: CheckReport,
): void {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') report.add('resource-metadata', 'ok', printable(location));
  else {
    const fix = 'Send Content-Type: application/json (RFC 9728 §3.2). Some clients refuse other types.';
    report.add('resource-metadata', 'warning', `${printable(location)} has the type ${quoted(type ?? '')}`, fix);
  }
  checkIdentifier(metadata.resource, resource, report);
  const problems = problemsOfMembers(metadata, allowHttp);
  if (problems.length > 0) {
    report.add(
      'metadata-members',
      'problem',
      problems.join('; '),
      'Correct or omit these members (RFC 9728 §2, §3.2).',
    );
    return;
  }
  const { scopes_supported: scopes } = metadata;
  if (Array.isArray(scopes)) checkOfflineAccess('metadata-members', scopes, report);
  else {
    const fix = 'List the scopes in scopes_supported, which clients request if a challenge names none (RFC 9728 §2).';
    report.add('metadata-members', 'warning', 'no scopes_supported', fix);
  }
}

/** RFC 9728 §3.3: identical to the address that the client calls. */
function checkIdentifier(named: unknown, resource: string, report: CheckReport): void {
  const identifier = typeof named === 'string' && URL.canParse(named) ? new URL(named) : undefined;
  const called = new URL(resource);
  if (identifier?.href === called.href) {
    report.add('metadata-resource', 'ok', quoted(named));
    return;
  }
  const path = identifier && `${withoutTrailingSlashes(identifier.pathname)}/`;
  const isAbove = identifier?.origin === called.origin && `${called.pathname}/`.startsWith(path ?? '');
  const fix = `Write the address that clients call into the metadata (publicUrl, or identifier of the resource), or give clients ${quoted(named)}. ${isAbove ? 'The MCP SDKs accept an address above it, other clients do not.' : 'Clients must not use metadata of another resource.'}`;
  report.add(
    'metadata-resource',
    isAbove ? 'warning' : 'problem',
    quoted(named),
    fix,
    `${quoted(resource)} (RFC 9728 §3.3)`,
  );
}

const LISTS = [
  'authorization_servers',
  'scopes_supported',
  'bearer_methods_supported',
  'resource_signing_alg_values_supported',
  'authorization_details_types_supported',
  'dpop_signing_alg_values_supported',
];
const ADDRESSES = ['jwks_uri', 'resource_documentation', 'resource_policy_uri', 'resource_tos_uri'];
const FLAGS = ['tls_client_certificate_bound_access_tokens', 'dpop_bound_access_tokens_required'];

/** RFC 9728 §2, §2.2, §3.2. */
function problemsOfMembers(metadata: JsonObject, allowHttp: boolean): readonly string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(metadata)) {
    if (value === null || value === '' || (Array.isArray(value) && value.length === 0))
      problems.push(`${name} has no value`);
    else if (LISTS.includes(name) && !(Array.isArray(value) && value.every((each) => typeof each === 'string')))
      problems.push(`${name} is no list of texts`);
    else if (ADDRESSES.includes(name) && !(typeof value === 'string' && URL.canParse(value)))
      problems.push(`${name} is no address`);
    else if (FLAGS.includes(name) && typeof value !== 'boolean') problems.push(`${name} is neither true nor false`);
  }
  const {
    jwks_uri: keys,
    bearer_methods_supported: methods,
    resource_signing_alg_values_supported: algorithms,
  } = metadata;
  if (typeof keys === 'string' && !isFetchableAddress(keys, allowHttp)) problems.push('jwks_uri is no https address');
  if (Array.isArray(algorithms) && algorithms.includes('none'))
    problems.push('resource_signing_alg_values_supported has none');
  if (Array.isArray(methods) && !methods.includes('header'))
    problems.push('bearer_methods_supported has no header, which MCP clients use');
  const { signed_metadata: signed } = metadata;
  if (signed !== undefined && typeof decodeIssuer(signed) !== 'string')
    problems.push('signed_metadata is no JWT with iss');
  return problems.map((problem) => printable(problem));
}

function decodeIssuer(jwt: unknown): unknown {
  try {
    return decodeCompact(String(jwt)).claims.iss;
  } catch {
    return undefined;
  }
}

/** @returns the first authorization server, which clients use */
function checkServers(metadata: JsonObject, allowHttp: boolean, report: CheckReport): string | undefined {
  const { authorization_servers: value } = metadata;
  const servers: readonly unknown[] = Array.isArray(value) ? value : [];
  const usable = servers.filter((each) => typeof each === 'string' && isFetchableAddress(each, allowHttp));
  const found = servers.map((each) => quoted(each)).join(', ');
  if (servers.length === 0 || usable.length < servers.length) {
    const fix =
      'List the issuers whose tokens the resource accepts, as https addresses (RFC 9728 §2, MCP authorization).';
    report.add('authorization-servers', 'problem', found === '' ? 'none' : found, fix);
  } else report.add('authorization-servers', 'ok', found + (servers.length > 1 ? ' (only the first is checked)' : ''));
  return usable[0] as string | undefined;
}

/** MCP authorization: what a client must find before it starts the authorization code flow. */
function checkServerForClients(metadata: JsonObject, allowHttp: boolean, report: CheckReport): void {
  const { code_challenge_methods_supported: methods, response_types_supported: types } = metadata;
  const missing = ['authorization_endpoint', 'token_endpoint'].filter(
    (name) => !isFetchableAddress(String(metadata[name]), allowHttp),
  );
  if (!(Array.isArray(types) && types.includes('code'))) missing.push('response_types_supported with code');
  if (!(Array.isArray(methods) && methods.includes('S256'))) missing.push('code_challenge_methods_supported with S256');
  if (missing.length === 0) report.add('authorization-code', 'ok', 'authorization code with PKCE (S256)');
  else {
    const fix =
      'MCP clients refuse a server without these members. Enable the authorization code flow with PKCE at the authorization server, or let it publish them.';
    report.add('authorization-code', 'problem', `the metadata of the server have no ${missing.join(', ')}`, fix);
  }
  const ways = ['client_id_metadata_document_supported', 'registration_endpoint'].filter(
    (name) => metadata[name] !== undefined && metadata[name] !== false,
  );
  if (ways.length > 0) report.add('registration', 'ok', ways.join(', '));
  else {
    const fix = 'Create a client at the authorization server, and enter its ID in the MCP client.';
    report.add('registration', 'warning', 'clients cannot register themselves', fix);
  }
}

function checkAccepted({ status, headers }: Probe, report: CheckReport): void {
  const found = `status ${String(status)}`;
  const challenge = headers.get('www-authenticate');
  if (status === 401) {
    const fix =
      'See the rows of the token. If they have no problem, compare the issuer and audience of the resource with them.';
    report.add('accepted', 'problem', `${found}, ${quoted(challenge ?? '')}`, fix, 'a response other than 401');
  } else if (status === 403) {
    const fix = 'The token is valid. Request one with the scopes of the challenge.';
    report.add('accepted', 'warning', `${found}, ${quoted(challenge ?? '')}`, fix);
  } else report.add('accepted', 'ok', found);
}
