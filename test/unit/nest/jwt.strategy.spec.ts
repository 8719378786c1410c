import { describe, expect, it } from '@jest/globals';
import passport from 'passport';
import { JwtStrategy } from '../../../src/nest/jwt.strategy.js';
import type { AccessTokenVerifier } from '../../../src/token/access-token-verifier.js';
import { fromBearerHeader } from '../../../src/options/token-places.js';

const registered = () => Object.keys((passport as unknown as { _strategies: object })._strategies);

describe('JwtStrategy', () => {
  it("has one name in passport's registry, which no other instance has, and none after shutdown", () => {
    const before = registered();
    const [first, second] = [1, 2].map(
      () =>
        new JwtStrategy({} as AccessTokenVerifier, {
          realm: undefined,
          user: undefined,
          tokenFrom: [fromBearerHeader()],
        }),
    ) as [JwtStrategy, JwtStrategy];
    const between = registered();
    first.onApplicationShutdown();
    second.onApplicationShutdown();
    expect(first.name).not.toBe(second.name);
    expect(between.filter((name) => !before.includes(name))).toEqual([first.name, second.name]);
    expect(registered()).toEqual(before);
    // The name that the mixin takes, under which one module would answer for another.
    expect(between).not.toContain('nestjs-resource-server');
  });
});
