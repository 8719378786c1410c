import { afterAll, beforeAll } from '@jest/globals';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const AUDIENCE = 'https://api.example.com';

export type KeyKind = 'rsa' | 'rsa-1024' | 'p-256' | 'p-384' | 'p-521' | 'ed25519' | 'ed448' | 'secp256k1';

export interface TestKey {
  readonly kid: string | undefined;
  readonly privateKey: KeyObject;
  /** The public key as it is published. */
  readonly jwk: Record<string, unknown>;
}

export function newKey(kind: KeyKind = 'rsa', members: Record<string, unknown> = {}): TestKey {
  const { publicKey, privateKey } = generate(kind);
  const jwk: Record<string, unknown> = { ...publicKey.export({ format: 'jwk' }), kid: randomUUID(), ...members };
  return { kid: jwk.kid as string | undefined, privateKey, jwk };
}

function generate(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  switch (kind) {
    case 'rsa':
      return storedPair() ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'rsa-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'ed448':
      return generateKeyPairSync('ed448');
    case 'secp256k1':
      return generateKeyPairSync('ec', { namedCurve: kind });
    default:
      return generateKeyPairSync('ec', { namedCurve: kind.toUpperCase() });
  }
}

// Generating an RSA key takes at least 0.1 seconds, and most test files need several.
const stored = JSON.parse(readFileSync(new URL('rsa-keys.json', import.meta.url), 'utf8')) as Record<string, unknown>[];

/** Returns a different stored key pair at each call, while there are any. */
function storedPair(): { publicKey: KeyObject; privateKey: KeyObject } | undefined {
  const key = stored.pop();
  if (key === undefined) return undefined;
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  return { publicKey: createPublicKey(privateKey), privateKey };
}

const HASHES: Record<string, string | null> = {
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
  PS256: 'sha256',
  PS384: 'sha384',
  PS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  EdDSA: null,
  Ed25519: null,
  ES256K: 'sha256',
  Ed448: null,
};

/** Signs exactly these texts, so that a test can send JSON that no library would write. */
export function signText(header: string, payload: string, algorithm: string, key: KeyObject): string {
  const input = [header, payload].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const options = algorithm.startsWith('PS')
    ? { key, padding: 6, saltLength: -1 }
    : { key, dsaEncoding: 'ieee-p1363' as const };
  return `${input}.${sign(HASHES[algorithm], Buffer.from(input), options).toString('base64url')}`;
}

export function signToken(
  header: Record<string, unknown> & { alg: string },
  claims: Record<string, unknown>,
  key: KeyObject,
): string {
  return signText(JSON.stringify(header), JSON.stringify(claims), header.alg, key);
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * An issuer on loopback whose metadata, keys and responses the test controls. Use it for what a real authorization server
 * does not do; other cases run against `oidc-provider`.
 */
export class LocalIssuer {
  readonly requests: string[] = [];
  readonly handlers = new Map<string, Handler>();
  keys: readonly unknown[];
  url = '';
  protected readonly server = createServer((request, response) => {
    const path = request.url ?? '';
    this.requests.push(path);
    const handler = this.handlers.get(path);
    if (handler === undefined) response.writeHead(404).end();
    else handler(request, response);
  });

  protected constructor(keys: readonly TestKey[]) {
    this.keys = keys.map(({ jwk }) => jwk);
  }

  static async start(keys: readonly TestKey[] = []): Promise<LocalIssuer> {
    const issuer = new LocalIssuer(keys);
    await issuer.open();
    return issuer;
  }

  /** Starts an issuer for all tests of the file. */
  static forFile(keys: readonly TestKey[]): LocalIssuer {
    const issuer = new LocalIssuer(keys);
    beforeAll(() => issuer.open());
    afterAll(() => issuer.stop());
    return issuer;
  }

  protected async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
    this.json('/.well-known/openid-configuration', () => ({ issuer: this.url, jwks_uri: `${this.url}/jwks` }));
    this.json('/jwks', () => ({ keys: this.keys }));
  }

  json(path: string, body: () => unknown): void {
    this.handlers.set(path, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body()));
    });
  }

  countOf(path: string): number {
    return this.requests.filter((requested) => requested === path).length;
  }

  claims(overrides: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.url, aud: AUDIENCE, sub: 'alice', iat: now, exp: now + 300, ...overrides };
  }

  token(key: TestKey, alg: string, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}): string {
    return signToken({ alg, typ: 'at+jwt', kid: key.kid, ...header }, this.claims(claims), key.privateKey);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
