import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AccessTokenVerifier } from 'nestjs-resource-server';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../src/app.module.js';
import { auth } from '../src/listed.js';
import { TenantRows } from '../src/tenant-rows.js';
import { Tenants } from '../src/tenants.js';

const [acme, bolt] = ['https://login.acme.example/', 'https://id.bolt.example'];
let app: INestApplication<App>;
let issuer: TestIssuer;

beforeEach(async () => {
  issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
  app = module.createNestApplication();
  await app.init();
});

afterEach(() => app.close());

const roles = ['buyer'];

it('separates tenants, and reads the roles of each from its own claim', async () => {
  const server = request(app.getHttpServer());
  const alice = await issuer.as({ issuer: acme, sub: 'alice', roles });
  await server.get('/orders').set(alice).expect(200, { tenantId: 'acme', subject: 'alice' });
  const bob = await issuer.as({ issuer: bolt, sub: 'bob', roles });
  await server.get('/orders').set(bob).expect(200, { tenantId: 'bolt', subject: 'bob' });
  const stray = await issuer.as({ issuer: bolt, claims: { groups: roles } });
  await server.get('/orders').set(stray).expect(403);
});

it('rejects tokens of a locked tenant and of an unknown issuer', async () => {
  const server = request(app.getHttpServer());
  const alice = await issuer.as({ issuer: acme, roles });
  await server.get('/orders').set(alice).expect(200);
  const rows = app.get(TenantRows, { strict: false });
  rows.all[0] = { ...rows.all[0]!, isLocked: true };
  app.get(Tenants, { strict: false }).forget(acme);
  const unknown = await issuer.as({ issuer: bolt, claims: { iss: 'https://evil.example/' } });
  for (const headers of [alice, unknown]) {
    const { status, body } = await server.get('/orders').set(headers);
    expect([status, (body as { code: string }).code]).toEqual([401, 'ISSUER_UNTRUSTED']);
  }
});

it('applies the options of each listed issuer', async () => {
  const module = await withTestIssuer(Test.createTestingModule({ imports: [auth] }), issuer).compile();
  const verifier = module.get(AccessTokenVerifier, { strict: false });
  const staff = (iat: number) =>
    issuer.token({ issuer: 'https://keycloak.example.com/realms/staff', claims: { iat, realm_access: { roles } } });
  const now = Math.floor(Date.now() / 1000);
  expect(await verifier.verify(await staff(now))).toMatchObject({ roles });
  await expect(verifier.verify(await staff(now - 7_200))).rejects.toMatchObject({ code: 'TOKEN_TOO_OLD' });
  await module.close();
});
