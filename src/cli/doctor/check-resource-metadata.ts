import { isFetchableAddress, isInternalHost, withoutQuery, withoutTrailingSlashes } from '../../model/address.js';
import { printable, quoted } from '../../model/printable-text.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { METADATA_PATH, metadataUrlOf } from '../../options/resolve-resources.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import type { CheckReport } from './check-report.js';
import { failureFix, type Probe, probe, type ProbeOptions } from './probe.js';

export interface ResourceRequest {
  readonly resource: string;
  /** The `aud` that the resource expects, if it is not the address of the resource. */
  readonly audience: readonly string[] | undefined;
  readonly allowHttp: boolean;
  readonly clockToleranceSeconds: number;
}

export interface Examination extends ResourceRequest {
  readonly options: ProbeOptions;
  readonly report: CheckReport;
}

type Metadata = Readonly<Record<string, unknown>>;

/**
 * Fetches and checks the metadata of a protected resource (RFC 9728).
 * @param named the address in the challenge, which clients use instead of the well-known ones.
 * @returns the authorization servers that may be fetched
 */
export async function checkMetadata(examination: Examination, named: string | undefined): Promise<readonly string[]> {
  const { resource, options, report } = examination;
  const wellKnown = [metadataUrlOf({ identifier: resource }), new URL(METADATA_PATH, resource).href];
  const failed: Probe[] = [];
  for (const location of named === undefined ? new Set(wellKnown) : [named]) {
    const problem = problemOfAddress(location, examination);
    if (problem !== undefined) {
      const fix = 'Write the public https address into resource_metadata (publicUrl).';
      report.add('resource-metadata', 'problem', `${quoted(withoutQuery(location))} ${problem}`, fix, 'https://…');
      return [];
    }
    const result = await probe(location, options);
    if (isJsonObject(result.body)) {
      checkType(result, report);
      checkIdentifier(result.body.resource, resource, report);
      checkMembers(result.body, examination);
      return checkServers(result.body, examination);
    }
    failed.push(result);
  }
  const found = failed.map(({ address, failure }) => failure ?? `${address}: another JSON document`).join('; ');
  const fix =
    (failed.some(({ isUnreachable }) => isUnreachable) ? failureFix(...failed) : undefined) ??
    'Serve the metadata at this address as JSON, without a token and without a redirect (RFC 9728 §3). Let the proxy forward /.well-known/oauth-protected-resource and everything below it.';
  report.add('resource-metadata', 'problem', found, fix, 'protected resource metadata');
  return [];
}

/** Clients on other machines cannot reach internal addresses, and the metadata must not choose what this machine calls. */
function problemOfAddress(address: string, { resource, allowHttp }: Examination): string | undefined {
  if (!isFetchableAddress(address, allowHttp)) return 'is not an https URL';
  const isInternal = isInternalHost(new URL(address).hostname) && !isInternalHost(new URL(resource).hostname);
  return isInternal ? 'is inside a network, and the resource is not' : undefined;
}

function checkType({ address, headers }: Probe, report: CheckReport): void {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') {
    report.add('resource-metadata', 'ok', printable(address));
    return;
  }
  const fix = 'Send Content-Type: application/json (RFC 9728 §3.2). Some clients refuse other types.';
  report.add('resource-metadata', 'warning', `${printable(address)} has the type ${quoted(type)}`, fix);
}

/** RFC 9728 §3.3: identical to the address that the client calls. */
function checkIdentifier(named: unknown, resource: string, report: CheckReport): void {
  const identifier = typeof named === 'string' && URL.canParse(named) ? new URL(named) : undefined;
  const called = new URL(resource);
  const shown = quoted(typeof named === 'string' ? withoutQuery(named) : named);
  if (identifier?.href === called.href) {
    report.add('metadata-resource', 'ok', shown);
    return;
  }
  const advice = `Write the address that clients call into the metadata (publicUrl, or the identifier of the resource), or give clients ${shown}.`;
  const expected = `${quoted(withoutQuery(resource))} (RFC 9728 §3.3)`;
  // The MCP SDKs compare it so.
  const isAbove =
    identifier?.origin === called.origin &&
    `${identifier.search}${identifier.hash}` === '' &&
    called.pathname.startsWith(`${withoutTrailingSlashes(identifier.pathname)}/`) &&
    called.pathname.length >= identifier.pathname.length;
  if (isAbove) {
    const fix = `${advice} The MCP SDKs accept an address above it, other clients do not.`;
    report.add('metadata-resource', 'warning', shown, fix, expected);
  } else report.add('metadata-resource', 'problem', shown, `${advice} Clients reject other metadata.`, expected);
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isList = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(isText);
const isPage = (value: unknown): boolean => typeof value === 'string' && URL.canParse(value);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';

/** RFC 9728 §2, §2.2, RFC 9449 §5.1, RFC 8705 §3.3: the members, what they must be, and how to say it. */
const MEMBERS: Readonly<Record<string, readonly [isValid: (value: unknown) => boolean, expected: string]>> = {
  authorization_servers: [isList, 'a list of texts'],
  scopes_supported: [isList, 'a list of texts'],
  // RFC 9728 allows an empty list.
  bearer_methods_supported: [
    (value) => isList(value) && (value as unknown[]).includes('header'),
    'a list with "header"',
  ],
  resource_signing_alg_values_supported: [
    (value) => isList(value) && !(value as unknown[]).includes('none'),
    'a list without "none"',
  ],
  authorization_details_types_supported: [isList, 'a list of texts'],
  dpop_signing_alg_values_supported: [isList, 'a list of texts'],
  jwks_uri: [(value) => isPage(value) && String(value).startsWith('https:'), 'an https address'],
  resource_name: [isText, 'a text'],
  resource_documentation: [isPage, 'an address'],
  resource_policy_uri: [isPage, 'an address'],
  resource_tos_uri: [isPage, 'an address'],
  tls_client_certificate_bound_access_tokens: [isFlag, 'true or false'],
  dpop_bound_access_tokens_required: [isFlag, 'true or false'],
  signed_metadata: [hasIssuer, 'a JWT with `iss`'],
};

function checkMembers(metadata: Metadata, { report }: Examination): void {
  const wrong = Object.entries(MEMBERS).filter(
    ([name, [isValid]]) => metadata[name] !== undefined && !isValid(metadata[name]),
  );
  const { scopes_supported: scopes } = metadata;
  if (wrong.length > 0) {
    const found = wrong.map(([name]) => `${name}: ${quoted(metadata[name], 60)}`).join('; ');
    const expected = wrong.map(([name, [, text]]) => `${name}: ${text}`).join('; ');
    const fix =
      'Correct these members, or omit those without a value (RFC 9728 §2, §3.2). MCP clients send tokens in the header.';
    report.add('metadata-members', 'problem', found, fix, expected);
  } else if (!Array.isArray(scopes)) {
    const fix =
      'List the scopes in scopes_supported: clients request them if a challenge names none (RFC 9728 §2). Ignore this without scopes.';
    report.add('metadata-members', 'warning', 'no scopes_supported', fix);
  } else if (scopes.includes('offline_access')) {
    const fix = 'Remove offline_access from scopes_supported, which a resource never needs.';
    report.add('metadata-members', 'warning', quoted(scopes), fix);
  } else report.add('metadata-members', 'ok', `scopes_supported: ${quoted(scopes)}`);
}

/** RFC 9728 §2.2. */
function hasIssuer(jwt: unknown): boolean {
  return typeof jwt === 'string' && typeof claimsIn(jwt)?.iss === 'string';
}

/** Returns the claims of a JWT, which are not verified. Undefined for another text. */
export function claimsIn(jwt: string) {
  try {
    return decodeCompact(jwt).claims;
  } catch {
    return undefined;
  }
}

function checkServers({ authorization_servers: value }: Metadata, examination: Examination): readonly string[] {
  const { report } = examination;
  const servers = Array.isArray(value) ? (value as unknown[]) : [];
  const problems = servers.map((server) =>
    typeof server === 'string' ? problemOfAddress(server, examination) : 'is not a text',
  );
  const wrong = problems.findIndex((problem) => problem !== undefined);
  const fix = 'MCP clients need the issuers whose tokens the resource accepts, as public https addresses.';
  if (servers.length === 0) report.add('authorization-servers', 'problem', 'none', fix);
  else if (wrong >= 0)
    report.add('authorization-servers', 'problem', `${quoted(servers[wrong])} ${problems[wrong] ?? ''}`, fix);
  else {
    const more = servers.length > 1 ? ' (one is checked)' : '';
    report.add('authorization-servers', 'ok', printable(servers.map((server) => quoted(server)).join(', ')) + more);
  }
  return servers.filter((_server, index) => problems[index] === undefined) as readonly string[];
}
