import type { TestingModuleBuilder } from '@nestjs/testing';
import type { KeySource } from '../keys/key-source.js';
import { RESOLVED_OPTIONS } from '../nest/auth-options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import { type ResolvedOptions, resolveOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import type { KeySourceKind } from '../token/trusted-issuers.js';
import { MockVerifier } from './mock-caller.js';
import type { TestIssuer } from './test-issuer.js';

/**
 * Connects an application to a test issuer: `AuthModule` verifies tokens with the keys of the test issuer instead of the keys of
 * its own issuers. Guards and options stay the same, so that every check applies.
 *
 * ```ts
 * const issuer = await TestIssuer.create();
 * const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
 * ```
 *
 * The application sends no request to its issuers, and does not use its `keyStore`. `compile()` throws if the module does not
 * import `AuthModule`.
 */
export function withTestIssuer(builder: TestingModuleBuilder, issuer: TestIssuer): TestingModuleBuilder {
  const created: KeySourceRegistry[] = [];
  const compile = builder.compile.bind(builder);
  builder.compile = async (...options) => {
    const module = await compile(...options).catch(async (error: unknown) => {
      // Nest does not shut down a module that does not compile.
      await Promise.all(created.map((sources) => sources.close()));
      throw error;
    });
    // Nest ignores the override of a provider that does not exist. Without AuthModule every route would be open.
    const isConnected = created.length > 0 && !(module.get(AccessTokenVerifier, NOT_STRICT) instanceof MockVerifier);
    if (isConnected) return module;
    await module.close();
    throw new Error(NOT_CONNECTED);
  };
  return builder.overrideProvider(KeySourceRegistry).useFactory({
    factory: (options: ResolvedOptions) => {
      const sources = new TestKeySources(issuer, options);
      created.push(sources);
      return sources;
    },
    inject: [RESOLVED_OPTIONS],
  });
}

const NOT_STRICT = { strict: false };
const NOT_CONNECTED =
  'withTestIssuer found no AuthModule to connect to the test issuer. Either the tested module does not import AuthModule ' +
  '(mockAuth and AuthTestingModule need no withTestIssuer), or withTestIssuer was called again for the same builder: one test ' +
  'issuer serves all issuers that the application trusts.';

/** The keys of the test issuer, for every issuer that the application trusts. */
export class TestKeySources extends KeySourceRegistry {
  constructor(
    private readonly issuer: TestIssuer,
    options: ResolvedOptions,
  ) {
    super({ ...options, fetch: issuer.fetch, keyStore: undefined, onProblem: () => undefined });
    issuer.connect(this, options);
  }

  override async close(): Promise<void> {
    this.issuer.disconnect(this);
    await super.close();
  }

  override create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource {
    const remote =
      keys.from === 'static' ? DEFAULT_KEYS : { ...keys, from: 'jwks' as const, uri: JWKS_URI, fallback: undefined };
    return super.create(issuer, remote, kind);
  }
}

/** An address that the test issuer answers. No DNS server resolves such a name (RFC 6761 §6.4). */
const JWKS_URI = 'https://issuer.invalid/jwks';
const [{ keys: DEFAULT_KEYS }] = resolveOptions({
  issuer: 'https://issuer.invalid',
  audience: 'unused',
  keys: { from: 'jwks', uri: JWKS_URI },
}).issuers as readonly [ResolvedIssuer];
