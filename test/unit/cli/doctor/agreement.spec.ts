import { expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import type { AuthOptions } from '../../../../src/index.js';
import { configured, ConfiguredModule } from '../../../support/cli-applications.js';
import { command, type Examination, examine } from '../../../support/command.js';
import { newKey, signToken } from '../../../support/local-issuer.js';
import { outcomeOf, verifierOf } from '../../../support/verifier.js';

const key = newKey('p-256', { kid: 'ours' });
const other = newKey('p-256', { kid: 'ours' });
const NOW = Date.now();
const SECONDS = Math.floor(NOW / 1000);
const AUDIENCE = 'https://api.example.com';

/** One issuer as it is configured and as it behaves. Each member is usually good, so that some cases have no fault. */
const usually = <Value>(good: Value, ...others: readonly Value[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(good) }, { weight: 2, arbitrary: fc.constantFrom(...others) });
const situation = fc.record({
  issuer: usually<string>('https://issuer.example.com', 'http://sts.example.com/trust', 'accounts.example.com'),
  from: fc.constantFrom('issuer', 'metadata', 'jwks'),
  named: usually<'same' | 'slash' | 'other'>('same', 'slash', 'other'),
  jwksUri: usually<unknown>(
    'https://keys.example.com/jwks',
    'http://keys.example.com/jwks',
    'https://10.0.0.1/jwks',
    undefined,
  ),
  keySet: usually<unknown>(
    { keys: [key.jwk] },
    { ours: key.jwk },
    { keys: [{ ...key.jwk, use: null, alg: '', d: null }] },
    { keys: [{ ...key.jwk, use: 'enc' }] },
    { keys: [] },
    { error: 'none' },
  ),
  contentType: fc.constantFrom('application/json', 'text/html', 'binary/octet-stream'),
  audience: usually<readonly string[] | null>([AUDIENCE], ['other', AUDIENCE], ['other'], null),
  claims: usually<Record<string, unknown>>(
    {},
    { aud: undefined },
    { aud: 'other' },
    { aud: 7 },
    { iss: undefined },
    { iss: 'https://issuer.example.com/' },
    { exp: SECONDS - 60 },
    { exp: SECONDS - 3 },
    { nbf: SECONDS + 60 },
    { sub: 7 },
    { at_hash: 'x' },
    { cnf: {} },
    { token_use: 'id' },
  ),
  header: usually<Record<string, unknown>>(
    {},
    { kid: undefined },
    { kid: 'unknown' },
    { typ: 'logout+jwt' },
    { crit: ['b64'] },
  ),
  signer: usually(key, other),
  clockToleranceSeconds: fc.constantFrom(5, 0, 120),
  allowHttp: fc.boolean(),
});

it('finds a problem if and only if an API with the same configuration refuses the token', async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(situation, async (given) => {
      const { issuer, from, named, keySet, audience, clockToleranceSeconds, allowHttp } = given;
      const metadataUri = 'https://internal.example.com/metadata';
      const name = { same: issuer, slash: `${issuer}/`, other: 'https://other.example.com' }[named];
      const documents: Record<string, unknown> = {
        [metadataUri]: { issuer: name, jwks_uri: given.jwksUri },
        [`${issuer}/.well-known/openid-configuration`]: { issuer: name, jwks_uri: given.jwksUri },
        'https://keys.example.com/jwks': keySet,
        'http://keys.example.com/jwks': keySet,
        'https://10.0.0.1/jwks': keySet,
      };
      const fetch: typeof globalThis.fetch = (address) => {
        const document = documents[address as string];
        const headers = { 'content-type': given.contentType };
        return Promise.resolve(
          document === undefined
            ? new Response(null, { status: 404 })
            : new Response(JSON.stringify(document), { headers }),
        );
      };
      const claims = { iss: issuer, aud: AUDIENCE, sub: 'alice', exp: SECONDS + 300, ...given.claims };
      const header = { alg: 'ES256', kid: 'ours', ...given.header };
      const token = signToken(header, claims, given.signer.privateKey);

      const uri = { issuer: undefined, metadata: metadataUri, jwks: String(given.jwksUri) }[from];
      const args = [
        ...['--issuer', issuer, '--clock-tolerance', String(clockToleranceSeconds), '--token', '-'],
        ...(audience === null ? ['--no-audience'] : audience.flatMap((each) => ['--audience', each])),
        ...(uri === undefined ? [] : [`--${from}-uri`, uri]),
        ...(allowHttp ? ['--allow-http'] : []),
      ];
      // The value of an unset variable is wrong usage.
      fc.pre(uri !== 'undefined');
      const { exitCode, problems } = await examine(args, { stdin: token, fetch, clock: () => NOW });

      const options = {
        issuer,
        audience,
        clockToleranceSeconds,
        insecureAllowHttp: allowHttp,
        keys: uri === undefined ? undefined : { from: from === 'jwks' ? 'jwks' : 'discovery', uri },
        fetch,
        clock: () => NOW,
      } as AuthOptions;
      // A configuration with which the application does not start refuses as well.
      const outcome = await outcomeOf((async () => verifierOf(options).verify(token))()).catch(() => 'does not start');
      expect([exitCode === 0, problems, outcome]).toEqual([outcome === 'accepted', problems, outcome]);
      if (outcome === 'accepted') accepted += 1;
    }),
    { numRuns: 150 },
  );
  expect(accepted).toBeGreaterThan(8);
}, 60_000);

const ISSUER = 'https://issuer.example.com';
const SECOND = 'https://second.example.com';
const ALIAS = 'https://alias.example.com';
const KEYS = {
  ES256: newKey('p-256', { kid: 'ES256' }),
  EdDSA: newKey('ed25519', { kid: 'EdDSA' }),
  ES256K: newKey('secp256k1', { kid: 'ES256K' }),
};
const JWKS = { keys: Object.values(KEYS).map(({ jwk }) => jwk) };
const ADDRESSES: Record<string, unknown> = {
  [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: 'https://keys.example.com/jwks' },
  'https://keys.example.com/jwks': JWKS,
  'https://keys.example.com/empty': { keys: [newKey('p-256', { kid: 'unused' }).jwk] },
  ...Object.fromEntries(JWKS.keys.map((jwk) => [`https://keys.example.com/${String(jwk.kid)}`, { keys: [jwk] }])),
};

const always = (value: unknown) => () => value;
const application = fc.record({
  shape: fc.constantFrom('one', 'list', 'function'),
  issuer: fc.record({
    issuer: usually<string | null>(ISSUER, null),
    audience: usually<unknown>(AUDIENCE, null, ['other', AUDIENCE], 'other'),
    issuerAliases: fc.constantFrom([ALIAS], undefined),
    idTokens: fc.constantFrom('accept', undefined),
    padding: fc.constantFrom('accept', undefined),
    algorithms: usually<unknown>(undefined, ['ES256', 'ES256K'], ['EdDSA']),
    requiredClaims: usually<unknown>(undefined, ['client_id'], ['tenant']),
    reportOnly: usually<unknown>(undefined, ['audience', 'requiredClaims']),
    tokenTypes: usually<unknown>(undefined, ['at+jwt']),
    maxTokenAgeSeconds: usually<unknown>(undefined, 60),
    validate: usually<unknown>(undefined, always(true), always(false), always(Promise.resolve(true)), () => {
      throw new Error('no database');
    }),
    keys: usually<unknown>(
      { from: 'static', jwks: JWKS },
      { from: 'discovery' },
      { from: 'jwks', uri: ['https://keys.example.com/empty', 'https://keys.example.com/jwks'] },
      { from: 'jwks', uri: 'https://keys.example.com/{kid}' },
      { from: 'jwks', uri: 'https://keys.example.com/missing' },
    ),
  }),
  algorithm: usually<keyof typeof KEYS>('ES256', 'EdDSA', 'ES256K'),
  isForged: usually(false, true),
  claims: usually<Record<string, unknown>>(
    {},
    { iss: undefined },
    { iss: ALIAS },
    { iss: SECOND },
    { iss: SECOND, aud: 'second' },
    { iss: 'https://evil.example.com' },
    { aud: undefined },
    { aud: 'other' },
    { aud: 7 },
    { exp: SECONDS - 60 },
    { iat: undefined },
    { iat: SECONDS - 600 },
    { client_id: undefined },
    { tenant: 'a' },
    { at_hash: 'x' },
    { cnf: {} },
  ),
  header: usually<Record<string, unknown>>({}, { typ: 'JWT' }, { typ: 'ID' }, { kid: undefined }, { crit: ['b64'] }),
  padding: usually('', '=', '=='),
});

/** Returns the status with which the application of `configured` answers a request with this token. */
async function statusOver(token: string): Promise<number> {
  const app = await NestFactory.create(ConfiguredModule, { logger: false, abortOnError: false });
  try {
    await app.listen(0, '127.0.0.1');
    const { status } = await fetch(`${await app.getUrl()}/offers`, { headers: { authorization: `Bearer ${token}` } });
    return status;
  } finally {
    await app.close();
  }
}

it('finds a problem of the token with --app if and only if the application answers other than 200', async () => {
  const statuses: (number | undefined)[] = [];
  await fc.assert(
    fc.asyncProperty(application, async ({ shape, issuer, algorithm, isForged, claims, header, padding }) => {
      // The other values do not start.
      const first = issuer.issuer === null ? { ...issuer, issuerAliases: undefined } : issuer;
      const second = { issuer: SECOND, audience: 'second', keys: { from: 'static', jwks: JWKS } };
      const byName = (name: string) => [first, second].find((each) => each.issuer === name);
      const issuers = shape === 'list' ? [second, first] : byName;
      configured.options = {
        ...(shape === 'one' ? first : { issuers }),
        clock: () => NOW,
        fetch: (address: string) => {
          const document = ADDRESSES[address];
          return Promise.resolve(
            document === undefined ? new Response(null, { status: 404 }) : Response.json(document),
          );
        },
      } as unknown as AuthOptions;
      const named = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', client_id: 'web' };
      const token = signToken(
        { alg: algorithm, kid: algorithm, typ: 'at+jwt', ...header },
        { ...named, iat: SECONDS, exp: SECONDS + 300, ...claims },
        (isForged ? newKey(algorithm === 'EdDSA' ? 'ed25519' : 'p-256') : KEYS[algorithm]).privateKey,
      );
      const stdin = token + padding;

      const status = await statusOver(stdin).catch(() => undefined);
      const args = ['--app', 'test/support/cli-applications.ts', '--export', 'ConfiguredModule', '--token', '-'];
      const { exitCode, stdout } = await command(['doctor', '--json', ...args], { stdin });
      statuses.push(status);
      if (status === undefined) {
        expect([exitCode, stdout]).toEqual([3, '']);
        return;
      }
      const { checks } = JSON.parse(stdout) as Pick<Examination, 'checks'>;
      const problems = checks.filter((row) => row.status === 'problem').map(({ check }) => check);
      const areOfToken = problems.some((check) => check.startsWith('token.'));
      expect([status, problems, areOfToken]).toEqual([status, problems, status !== 200]);
      // Keys that cannot be fetched are a problem also if the token is of another issuer.
      expect([exitCode > 0, problems]).toEqual([problems.length > 0, problems]);
    }),
    { numRuns: 100 },
  );
  for (const status of [200, 401]) expect(statuses).toContain(status);
}, 60_000);
