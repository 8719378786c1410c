import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AuthOptions } from '../../../../src/index.js';
import { examine } from '../../../support/command.js';
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
