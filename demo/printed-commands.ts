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
}

/** The commands that the demo prints. They can be pasted into a shell as they are. */
export function printedCommands({ url, issuer, audience, token }: Addresses): readonly PrintedCommand[] {
  const header = `-H "Authorization: Bearer ${token}"`;
  const form = { grant_type: 'client_credentials', resource: audience, scope: SCOPES.join(' ') };
  const fields = Object.entries(form).map(([name, value]) => `-d '${name}=${value}'`);
  return [
    { title: 'Call it with a new token, which is valid for five minutes', command: `curl -i ${url}/orders ${header}` },
    {
      title: 'Query it with GraphQL',
      command: `curl -i ${url}/graphql ${header} -H 'content-type: application/json' -d '{"query":"{ orders { id } }"}'`,
    },
    {
      title: 'Request another token, and use the access_token of the response',
      command: `curl -s -u ${CLIENT.id}:${CLIENT.secret} ${fields.join(' ')} ${issuer}/token`,
    },
  ];
}
