import { CLIENT, SCOPES } from './authorization-server.js';

export interface PrintedCommand {
  readonly title: string;
  readonly command: string;
}

interface Addresses {
  readonly url: string;
  readonly issuer: string;
  readonly audience: string;
  readonly token: string;
  /** A token for the MCP server. */
  readonly mcpToken: string;
}

const MCP_HEADERS = `-H 'content-type: application/json' -H 'accept: application/json, text/event-stream'`;

const authorization = (token: string): string => `-H "Authorization: Bearer ${token}"`;

/** The commands that the demo prints. They can be pasted into a shell as they are. */
export function printedCommands({ url, issuer, audience, token, mcpToken }: Addresses): readonly PrintedCommand[] {
  const header = authorization(token);
  const form = { grant_type: 'client_credentials', resource: audience, scope: SCOPES.join(' ') };
  const fields = Object.entries(form).map(([name, value]) => `-d '${name}=${value}'`);
  return [
    { title: 'Call it with a new token, which is valid for five minutes', command: `curl -i ${url}/orders ${header}` },
    {
      title: 'Query it with GraphQL',
      command: `curl -i ${url}/graphql ${header} -H 'content-type: application/json' -d '{"query":"{ orders { id } }"}'`,
    },
    {
      title: 'List the tools of the MCP server, with a token for it',
      command: `curl -i ${url}/mcp ${authorization(mcpToken)} ${MCP_HEADERS} -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
    },
    {
      title: 'Request another token, and use the access_token of the response',
      command: `curl -s -u ${CLIENT.id}:${CLIENT.secret} ${fields.join(' ')} ${issuer}/token`,
    },
  ];
}
