import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Provider from 'oidc-provider';
import type { Client, ClientMetadata, errors } from 'oidc-provider';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

interface SigningKey {
  readonly algorithm: Algorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export interface AuthorizationServerOptions {
  /** The resources (RFC 8707) for which tokens are issued. The first is the default. */
  readonly audiences: readonly string[];
  readonly redirectUri?: string;
  /** A second public client, for Swagger UI. */
  readonly docs?: { readonly id: string; readonly redirectUri: string };
  /** The signature algorithm of access tokens. Default RS256. */
  readonly algorithm?: Algorithm;
  /** The scopes of each resource. Default: those of the orders. */
  readonly scopes?: readonly string[];
  /** Whether clients can register themselves (RFC 7591), as MCP clients do. Default false. */
  readonly canRegister?: boolean;
  /** Default: any free port. */
  readonly port?: number;
}

export const CLIENT = { id: 'orders-job', secret: 'orders-job-secret' };
export const PUBLIC_CLIENT_ID = 'orders-app';
export const SCOPES = ['read:orders', 'write:orders'];

/**
 * An OpenID provider on loopback: discovery, JWKS, JWT access tokens with resource indicators (RFC 8707, RFC 9068), client
 * credentials, and authorization code with PKCE. Its sign-in page accepts any name. For development only.
 */
export class AuthorizationServer {
  private key: SigningKey;
  private handle: ReturnType<Provider['callback']> = () => Promise.resolve();
  private readonly server = createServer((request, response) => {
    this.requests.push(request.url ?? '');
    void this.handle(request, response);
  });
  /** The requested paths, in order. */
  readonly requests: string[] = [];
  issuer = '';

  private constructor(
    private readonly options: AuthorizationServerOptions,
    private readonly ProviderClass: typeof Provider,
    private readonly InvalidRedirectUri: typeof errors.InvalidRedirectUri,
  ) {
    this.key = newKey(options.algorithm ?? 'RS256');
  }

  static async start(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
    const { Provider: ProviderClass, errors } = await quietly(() => import('oidc-provider'));
    const server = new AuthorizationServer(options, ProviderClass, errors.InvalidRedirectUri);
    await server.listen(options.port ?? 0);
    return server;
  }

  private async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    this.issuer = `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
    await this.serve();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Replaces the signing key. The old key is no longer published. */
  async rotateKeys(): Promise<void> {
    this.key = newKey(this.key.algorithm);
    await this.serve();
  }

  /** Requests an access token with client credentials (RFC 6749 §4.4). */
  async clientCredentialsToken(resource = this.options.audiences[0] ?? '', scope = SCOPES.join(' ')): Promise<string> {
    const body = await this.token({ grant_type: 'client_credentials', resource, scope }, CLIENT);
    return String(body.access_token);
  }

  /** Calls the token endpoint as a client does. */
  async token(form: Record<string, string>, client?: { id: string; secret: string }): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: client && { authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}` },
      body: new URLSearchParams(form),
    });
    const body = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`The authorization server answered ${JSON.stringify(body)}`);
    return body;
  }

  /** Signs any claims with the server's key, for example those of an expired token. */
  sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    return this.signWith(this.key, claims, header);
  }

  /** Returns a token with the header and claims of a valid one, signed with another key. */
  forge(claims: Record<string, unknown> = {}): string {
    return this.signWith({ ...newKey(this.key.algorithm), kid: this.key.kid }, claims, {});
  }

  private signWith(
    { algorithm, kid, privateKey }: SigningKey,
    claims: Record<string, unknown>,
    header: Record<string, unknown>,
  ): string {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.issuer,
      aud: this.options.audiences[0],
      sub: 'alice',
      iat: now,
      exp: now + 300,
      jti: randomUUID(),
      ...claims,
    };
    return signCompact({ alg: algorithm, typ: 'at+jwt', kid, ...header }, payload, algorithm, privateKey);
  }

  private async serve(): Promise<void> {
    this.handle = await quietly(() => this.createProvider().callback());
  }

  private createProvider(): Provider {
    const { audiences, redirectUri, docs, scopes = SCOPES, canRegister = false } = this.options;
    const { algorithm, kid, privateKey } = this.key;
    return new this.ProviderClass(this.issuer, {
      jwks: {
        keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }],
      },
      cookies: { keys: [randomUUID()] },
      ...(canRegister && {
        extraClientMetadata: {
          properties: ['unused'],
          validator: (_context: unknown, _name: string, _value: unknown, metadata: ClientMetadata) => {
            // A client may later request more scopes than those that it registered with.
            delete metadata.scope;
            const isSafe = (uri: string) => !uri.startsWith('http:') || isLoopback(uri);
            if (metadata.redirect_uris?.every(isSafe) === false) throw new this.InvalidRedirectUri();
          },
        },
        // MCP clients register with the grant type `refresh_token`.
        issueRefreshToken: (_context: unknown, client: Client) => client.grantTypeAllowed('refresh_token'),
      }),
      scopes: ['openid', ...scopes],
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      ttl: {
        AccessToken: 300,
        ClientCredentials: 300,
        IdToken: 300,
        RefreshToken: 3600,
        Session: 3600,
        Grant: 3600,
        Interaction: 600,
      },
      renderError: (context, { error, error_description }) => {
        context.body = { error, error_description };
      },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
          id_token_signed_response_alg: algorithm,
        },
        publicClient(PUBLIC_CLIENT_ID, redirectUri ?? 'http://127.0.0.1/callback', algorithm),
        ...(docs === undefined ? [] : [publicClient(docs.id, docs.redirectUri, algorithm)]),
      ],
      // Swagger UI fetches its token from another origin. Its redirect URI has no port to compare with.
      clientBasedCORS: (_context, origin, client) =>
        isLoopback(origin) && (canRegister || client.clientId === docs?.id),
      features: {
        devInteractions: { enabled: true },
        clientCredentials: { enabled: true },
        registration: { enabled: canRegister },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => audiences[0] ?? '',
          useGrantedResource: () => true,
          getResourceServerInfo: (_context, resource) => ({
            scope: scopes.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: algorithm } },
          }),
        },
      },
    });
  }
}

/** Signs tokens with a key that no issuer publishes. */
export class Forger {
  private readonly key = newKey('RS256');

  sign(claims: Record<string, unknown>): string {
    const exp = Math.floor(Date.now() / 1000) + 300;
    return signCompact(
      { alg: 'RS256', typ: 'at+jwt', kid: this.key.kid },
      { exp, sub: 'alice', ...claims },
      'RS256',
      this.key.privateKey,
    );
  }
}

function isLoopback(address: string): boolean {
  return URL.canParse(address) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(address).hostname);
}

function publicClient(id: string, redirectUri: string, algorithm: Algorithm): ClientMetadata {
  return {
    client_id: id,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
    application_type: 'native',
    id_token_signed_response_alg: algorithm,
  };
}

function newKey(algorithm: Algorithm): SigningKey {
  const kid = randomUUID();
  switch (algorithm) {
    case 'ES256':
      return { algorithm, kid, privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
    case 'EdDSA':
      return { algorithm, kid, privateKey: generateKeyPairSync('ed25519').privateKey };
    default:
      return { algorithm, kid, privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey };
  }
}

function signCompact(header: object, claims: object, algorithm: Algorithm, key: KeyObject): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const hash = algorithm === 'EdDSA' ? null : 'sha256';
  // padding 6 is RSASSA-PSS, saltLength -1 is the length of the hash.
  const options =
    algorithm === 'PS256' ? { key, padding: 6, saltLength: -1 } : { key, dsaEncoding: 'ieee-p1363' as const };
  return `${input}.${sign(hash, Buffer.from(input), options).toString('base64url')}`;
}

/** Suppresses the warnings of oidc-provider about its development features, which the demo uses on purpose. */
async function quietly<T>(create: () => T | Promise<T>): Promise<T> {
  const { info, warn } = console;
  Object.assign(console, { info: () => undefined, warn: () => undefined });
  try {
    return await create();
  } finally {
    Object.assign(console, { info, warn });
  }
}
