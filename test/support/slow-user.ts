import type { AuthOptions } from '../../src/index.js';

/** A `user` option that waits until the test decides about the tokens that it holds back, by their `jti`. */
export class SlowUser {
  private readonly held = new Map<unknown, { readonly promise: Promise<void>; readonly release: () => void }>();
  /** The `jti` of each call. */
  readonly calls: unknown[] = [];

  readonly user: NonNullable<AuthOptions['user']> = async ({ claims }) => {
    this.calls.push(claims.jti);
    await this.held.get(claims.jti)?.promise;
    return claims;
  };

  hold(jti: string | undefined): void {
    let release: () => void = () => undefined;
    const promise = new Promise<void>((resolve) => (release = resolve));
    this.held.set(jti, { promise, release });
  }

  release(jti: string | undefined): void {
    this.held.get(jti)?.release();
  }
}
