import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { App } from 'supertest/types.js';
import { TestIssuer, withTestIssuer } from '../../src/testing.js';

/** Creates the application of a page in docs with a test issuer. The caller initializes and closes it. */
export async function createPageApp(metadata: ModuleMetadata, given?: TestIssuer) {
  const issuer = given ?? (await TestIssuer.create());
  const module = await withTestIssuer(Test.createTestingModule(metadata), issuer).compile();
  const app: INestApplication<App> = module.createNestApplication({ logger: false });
  return { app, issuer };
}
