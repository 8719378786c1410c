import type { TestingModuleBuilder } from '@nestjs/testing';
import type { KeySource } from '../keys/key-source.js';
import { RESOLVED_OPTIONS } from '../nest/auth-options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';
import { type ResolvedOptions, resolveOptions } from '../options/resolve-options.js';
import { KeySourceRegistry, type KeySourceRegistryOptions } from '../remote/key-source-registry.js';
import type { KeySourceKind } from '../token/tenant-key-source-cache.js';
import { DEFAULT_AUDIENCE, DEFAULT_ISSUER, TEST_JWKS_URI } from './test-issuer-options.js';
import type { TestIssuer } from './test-issuer.js';

/**
 * Has an application take the keys of a test's issuer for those of its own: no guard is overridden, and every check of its
 * options is made.
 *
 * ```ts
 * const issuer = await TestIssuer.create();
 * const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
 * ```
 *
 * Its `keyStore` is not used, so that no key of a test is kept; nobody is asked over a network. A module without `AuthModule`
 * does not compile.
 */
export function withTestIssuer(builder: TestingModuleBuilder, issuer: TestIssuer): TestingModuleBuilder {
  let isPlugged = false;
  let letGo: () => void = () => undefined;
  const compile = builder.compile.bind(builder);
  // An override of what is not there is no error to Nest, and every request would be let through.
  builder.compile = async (...options) => {
    const module = await compile(...options).catch((error: unknown) => {
      // Nobody closes what was not made.
      letGo();
      throw error;
    });
    if (isPlugged) return module;
    await module.close();
    throw new Error(NOT_PLUGGED);
  };
  return builder.overrideProvider(KeySourceRegistry).useFactory({
    factory: (options: ResolvedOptions) => {
      isPlugged = true;
      const unserved = issuer.serve(options);
      const sources: TestKeySources = new TestKeySources(
        { ...options, fetch: issuer.fetch, keyStore: undefined, onProblem: () => undefined },
        () => {
          letGo();
        },
      );
      // Else what a test did before would decide what the next one sees.
      const untold = issuer.onChange(() => {
        sources.forgetPauses();
      });
      letGo = () => {
        unserved();
        untold();
      };
      return sources;
    },
    inject: [RESOLVED_OPTIONS],
  });
}

const NOT_PLUGGED =
  'withTestIssuer: no AuthModule takes its keys from this test issuer. The module that is tested imports none (mockAuth and ' +
  'AuthTestingModule need none, and no withTestIssuer); or another test issuer was plugged in after this one: one is enough, ' +
  'for all issuers that the application trusts';

/** Whatever the application says of where the keys are, and how they are kept otherwise. */
class TestKeySources extends KeySourceRegistry {
  constructor(
    options: KeySourceRegistryOptions,
    /** An issuer may serve many applications, one after the other: it must not keep those that are closed. */
    private readonly onClose: () => void,
  ) {
    super(options);
  }

  override async close(): Promise<void> {
    this.onClose();
    await super.close();
  }

  override create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource {
    const policy = keys.from === 'static' ? defaultKeys() : keys;
    return super.create(issuer, { ...policy, from: 'jwks', uri: TEST_JWKS_URI, fallback: undefined }, kind);
  }
}

function defaultKeys(): Exclude<ResolvedKeys, { readonly from: 'static' }> {
  const { issuers } = resolveOptions({ issuer: DEFAULT_ISSUER, audience: DEFAULT_AUDIENCE });
  const [{ keys }] = issuers as readonly [ResolvedIssuer];
  return keys as Exclude<ResolvedKeys, { readonly from: 'static' }>;
}
