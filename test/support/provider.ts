import { expect, it } from '@jest/globals';
import type { AuthOptions, VerifiedAccessToken } from '../../src/index.js';
import { ConfigurationError } from '../../src/model/errors.js';
import { type KeyKind, newKey, signToken, type TestKey } from './local-issuer.js';
import { outcomeOf, verifierOf } from './verifier.js';

type Claims = Record<string, unknown>;
type Header = Record<string, unknown>;

/**
 * An identity provider whose documents are only at the addresses of its documentation, so a preset that looks for keys elsewhere finds
 * none. Nothing goes over the network.
 */
export class Provider {
  readonly key: TestKey;
  readonly fetched: string[] = [];
  private readonly documents = new Map<string, unknown>();

  constructor(
    private readonly claims: Claims,
    private readonly header: Header = { typ: 'JWT' },
    private readonly alg = 'RS256',
    kind: KeyKind = 'rsa',
  ) {
    this.key = newKey(kind);
  }

  /** Publishes metadata and the key set that it names. */
  publish(issuer: string, jwksUri: string, metadataAddress = `${issuer}/.well-known/openid-configuration`): this {
    this.documents.set(metadataAddress, { issuer, jwks_uri: jwksUri });
    return this.publishKeys(jwksUri);
  }

  publishKeys(jwksUri: string): this {
    this.documents.set(jwksUri, { keys: [this.key.jwk] });
    return this;
  }

  /** Signs a token with the documented claims, replaced by these. A claim that is undefined is omitted. */
  token(claims: Claims = {}, header: Header = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const all = { iat: now, exp: now + 300, ...this.claims, ...claims };
    return signToken({ alg: this.alg, kid: this.key.kid, ...this.header, ...header }, all, this.key.privateKey);
  }

  readonly fetch: typeof globalThis.fetch = (input) => {
    const address = input as string;
    this.fetched.push(address);
    const document = this.documents.get(address);
    return Promise.resolve(document === undefined ? new Response(null, { status: 404 }) : Response.json(document));
  };

  async verify(options: AuthOptions, token: string): Promise<VerifiedAccessToken> {
    return verifierOf({ ...options, fetch: this.fetch }).verify(token);
  }

  /** The code of the refusal, or `accepted`. */
  async outcome(options: AuthOptions, token: string): Promise<string> {
    return outcomeOf(this.verify(options, token));
  }
}

/** The problems of a ConfigurationError, as `path: message`. */
export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

/** Tests that a documented token is rejected with this code once these claims replace the documented ones. */
export function rejectsTokens(
  provider: Provider,
  options: AuthOptions,
  table: readonly (readonly [what: string, claims: Claims, code: string])[],
): void {
  it.each(table)('rejects a token %s %j (%s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });
}

/** Tests that a preset has exactly one problem with these options: its path, and the beginning of its message. */
export function rejectsOptions(
  preset: (options: never) => unknown,
  valid: object,
  table: readonly (readonly [changes: object, problem: string])[],
): void {
  it.each(table)('rejects the options %j (%s)', (changes, problem) => {
    const problems = problemsOf(() => preset({ ...valid, ...changes } as never));
    expect(problems.map((text) => text.slice(preset.name.length + '().'.length, text.length))).toEqual([
      expect.stringContaining(problem),
    ]);
  });
}

/** Replaces the header by one with HS256, with which anyone who knows the shared secret can sign. */
export function symmetric(token: string): string {
  const [, payload, signature] = token.split('.');
  return [Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url'), payload, signature].join('.');
}
