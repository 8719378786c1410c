import { isFetchableAddress } from '../../model/address.js';
import { printable } from '../../model/printable-text.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { metadataLocations } from '../../remote/metadata.js';
import type { Examination } from './check-resource-metadata.js';
import { probe } from './probe.js';

/** Checks what an MCP client needs from the metadata of an authorization server: the authorization code flow with PKCE, registration. */
export async function checkServerForClients(
  issuer: string,
  { allowHttp, options, report }: Examination,
): Promise<void> {
  const found = await fetchMetadata(issuer, options);
  // `discovery` has a problem.
  if (found === undefined) return;
  const { metadata, location } = found;
  const isEndpoint = (name: string) => {
    const value = metadata[name];
    return typeof value === 'string' && isFetchableAddress(value, allowHttp);
  };
  const lists = (name: string, value: string) => {
    const list = metadata[name];
    return Array.isArray(list) && list.includes(value);
  };
  const missing = [
    ...['authorization_endpoint', 'token_endpoint'].filter((name) => !isEndpoint(name)),
    ...(lists('response_types_supported', 'code') ? [] : ['response_types_supported with "code"']),
    ...(lists('code_challenge_methods_supported', 'S256') ? [] : ['code_challenge_methods_supported with "S256"']),
  ];
  if (missing.length > 0) {
    const fix =
      'MCP clients refuse a server without these members. Enable the authorization code flow with PKCE at the authorization server, or let it publish them.';
    report.add('authorization-code', 'problem', `${printable(location)} has no ${missing.join(', ')}`, fix);
  } else report.add('authorization-code', 'ok', `with PKCE (S256), in ${printable(location)}`);
  const ways = [
    ...(metadata.client_id_metadata_document_supported === true ? ['client ID metadata documents'] : []),
    ...(isEndpoint('registration_endpoint') ? ['dynamic registration'] : []),
  ];
  if (ways.length > 0) report.add('registration', 'ok', ways.join(', '));
  else {
    const fix = 'Create a client at the authorization server, and enter its ID in the MCP client.';
    report.add('registration', 'warning', 'clients cannot register themselves', fix);
  }
}

/** In the order of MCP clients, which try the addresses of RFC 8414 first. */
async function fetchMetadata(issuer: string, options: Examination['options']) {
  const locations = metadataLocations(issuer);
  const isOauth = (location: string) => location.includes('/.well-known/oauth-authorization-server');
  for (const location of [...locations.filter(isOauth), ...locations.filter((each) => !isOauth(each)).reverse()]) {
    const { body } = await probe(location, options);
    if (isJsonObject(body)) return { metadata: body, location };
  }
  return undefined;
}
