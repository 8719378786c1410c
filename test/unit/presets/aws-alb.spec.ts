import { describe, expect, it } from '@jest/globals';
import { createPublicKey, sign } from 'node:crypto';
import { awsAlb } from '../../../src/presets.js';
import { newKey, signToken } from '../../support/local-issuer.js';
import { rejectsOptions } from '../../support/provider.js';
import { outcomeOf, verifierOf } from '../../support/verifier.js';

const loadBalancer = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188';
const other = loadBalancer.replace('123456789012', '999999999999');
const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI';
const clientId = '1example23456789';
const valid = { loadBalancer, clientId, issuer };
const KEYS = 'https://public-keys.auth.elb.eu-central-1.amazonaws.com';
const keys = ['00b61a42-9d2b-4b8a-8f0b-1f0c0a9b7a11', 'f2d8fd4c-0b1e-4a0e-a1a9-32b6a5d4a9d2'].map((kid) =>
  newKey('p-256', { kid }),
);
const [first, second] = keys as [(typeof keys)[number], (typeof keys)[number]];

/** Answers with a PEM file for each key, as AWS does. */
function startKeys() {
  const requests: string[] = [];
  const fetch: typeof globalThis.fetch = (address) => {
    requests.push(address as string);
    const key = keys.find(({ kid }) => address === `${KEYS}/${String(kid)}`);
    if (key === undefined) return Promise.resolve(new Response('AccessDenied', { status: 403 }));
    const pem = createPublicKey({ key: key.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    return Promise.resolve(new Response(String(pem)));
  };
  return { fetch, requests };
}

// The members of https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html#user-claims-encoding
const now = Math.floor(Date.now() / 1000);
const tokenOf = (claims: object = {}, header: object = {}, key = first) =>
  signToken(
    {
      typ: 'JWT',
      alg: 'ES256',
      kid: key.kid,
      iss: issuer,
      client: clientId,
      signer: loadBalancer,
      exp: now + 120,
      ...header,
    },
    { sub: '1234', email: 'alice@example.com', username: 'alice', exp: now + 120, iss: issuer, ...claims },
    key.privateKey,
  );
const verifying = (options: object = {}) => {
  const { fetch, requests } = startKeys();
  const verifier = verifierOf({ ...awsAlb({ ...valid, ...options }), fetch });
  return { requests, outcome: (token: string) => outcomeOf(verifier.verify(token)) };
};

describe('awsAlb', () => {
  it('fetches each key from its own address, once', async () => {
    const { outcome, requests } = verifying();
    const tokens = [tokenOf(), tokenOf({}, {}, second), tokenOf(), tokenOf({}, {}, second)];
    expect(await Promise.all(tokens.map(outcome))).toEqual(Array(4).fill('accepted'));
    expect(requests.filter((address) => address.endsWith(String(second.kid)))).toHaveLength(1);
  });

  it('limits the requests that unknown key ids cause, and requests nothing for an id that is no name', async () => {
    const { outcome, requests } = verifying();
    expect(await outcome(tokenOf())).toBe('accepted');
    const outcomes = new Set<string>();
    for (let count = 0; count < 60; count += 1)
      outcomes.add(await outcome(tokenOf({}, { kid: `unknown-${String(count)}` })));
    // Above the limit, an unknown key may be a new one.
    expect([...outcomes]).toEqual(['KEY_UNKNOWN', 'KEYS_UNAVAILABLE']);
    expect(requests.length).toBeLessThanOrEqual(23);
    const before = requests.length;
    for (const kid of ['../secrets', 'a/b', '?x', 'a'.repeat(200), undefined])
      await outcome(tokenOf({}, { kid }, second));
    expect(requests.slice(before).filter((address) => !address.endsWith(String(first.kid)))).toEqual([]);
    expect(await outcome(tokenOf())).toBe('accepted');
  });

  it('accepts the padding of AWS', async () => {
    const [header = '', payload = ''] = tokenOf({ name: 'Zoë' }).split('.');
    const pad = (part: string) => part.padEnd(Math.ceil(part.length / 4) * 4, '=');
    const input = `${pad(header)}.${pad(payload)}`;
    const signature = sign('sha256', Buffer.from(input), { key: first.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await verifying().outcome(`${input}.${pad(signature.toString('base64url'))}`)).toBe('accepted');
  });

  it.each<[string, object, object, string]>([
    ['of a load balancer of another account', {}, { signer: other }, 'CLAIM_INVALID'],
    ['without a load balancer', {}, { signer: undefined }, 'CLAIM_INVALID'],
    ['of another client', {}, { client: 'other' }, 'AUDIENCE_MISMATCH'],
    ['without a client', {}, { client: undefined }, 'AUDIENCE_MISMATCH'],
    ['of another identity provider', { iss: 'https://accounts.example.com' }, {}, 'ISSUER_UNTRUSTED'],
    ['that has expired', { exp: now - 60 }, {}, 'TOKEN_EXPIRED'],
    ['without a subject', { sub: undefined }, {}, 'CLAIM_MISSING'],
  ])('rejects a token %s', async (_what, claims, header, code) => {
    expect(await verifying().outcome(tokenOf(claims, header))).toBe(code);
  });

  it('reads the token only from the header of the load balancer, and knows the keys of GovCloud', () => {
    expect(awsAlb(valid).tokenFrom).toEqual([{ from: 'header', name: 'x-amzn-oidc-data', origins: [] }]);
    const gov = 'arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188';
    expect(awsAlb({ ...valid, loadBalancer: gov }).keys).toEqual({
      from: 'jwks',
      uri: 'https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1/{kid}',
    });
  });

  rejectsOptions(awsAlb, valid, [
    [{ loadBalancer: 'web' }, 'Set it to the ARN of the load balancer'],
    [{ loadBalancer: loadBalancer.replace('aws:', 'aws-cn:') }, 'Set it to the ARN of the load balancer'],
    [{ loadBalancer: [loadBalancer, loadBalancer.replace('eu-central-1', 'eu-west-1')] }, 'several regions'],
  ]);
});
