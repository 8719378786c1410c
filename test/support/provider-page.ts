import type { DynamicModule, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { readFileSync } from 'node:fs';
import { AccessTokenVerifier, AuthModule, type AuthOptions, type VerifiedAccessToken } from '../../src/index.js';
import { TestIssuer, withTestIssuer } from '../../src/testing.js';

type Claims = Readonly<Record<string, unknown>>;

/** Returns the token under the heading "Claims of a token" of a page in docs/providers. */
export function claimsOfPage(page: string): Claims {
  const text = readFileSync(`docs/providers/${page}.md`, 'utf8');
  const [, json = ''] = /^## Claims of a token\n+```json\n([\s\S]*?)^```/m.exec(text) ?? [];
  return JSON.parse(json) as Claims;
}

/** Verifies a token with the configuration of a page in docs/providers, which must have the issuer of the token. */
export async function verifyWith(
  configuration: Type | DynamicModule | AuthOptions,
  claims: Claims,
  header: Claims = {},
): Promise<VerifiedAccessToken> {
  const isModule = typeof configuration === 'function' || 'module' in configuration;
  const root = isModule ? configuration : AuthModule.forRoot(configuration);
  const issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [root] }), issuer).compile();
  try {
    const token = await issuer.token({ issuer: String(claims.iss), claims, header });
    return await module.get(AccessTokenVerifier, { strict: false }).verify(token);
  } finally {
    await module.close();
  }
}
