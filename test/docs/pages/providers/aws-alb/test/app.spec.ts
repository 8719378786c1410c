import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('aws-alb');
const signer = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188';
const header = { signer, client: '1example23456789' };

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims, header)).toMatchObject({ scopes: [], roles: [] });
});

it.each([
  ['a token of another load balancer', { signer: signer.replace('web', 'other') }, 'CLAIM_INVALID'],
  ['a token for another client', { client: 'other' }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, claims, { ...header, ...change })).rejects.toMatchObject({ code });
});
