import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubernetes, type KubernetesOptions } from '../../../src/presets.js';
import { problemsOf, Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://kubernetes.default.svc.cluster.local';
const jwks = 'https://kubernetes.default.svc/openid/v1/jwks';
const audience = 'https://api.example.com';
// https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims
const claims = {
  aud: [audience],
  iss,
  jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
  'kubernetes.io': {
    namespace: 'shop',
    node: { name: 'my-node', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
    pod: { name: 'my-pod', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    serviceaccount: { name: 'frontend', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
  },
  sub: 'system:serviceaccount:shop:frontend',
};
// The API server writes no `typ`.
const provider = new Provider(claims, {}).publishKeys(jwks);
const account = (namespace: string, name: string) => ({
  'kubernetes.io': { namespace, serviceaccount: { name } },
  sub: `system:serviceaccount:${namespace}:${name}`,
});

let folder: string;
let tokenFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubernetes-'));
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'first-token\n');
});

afterAll(() => rm(folder, { recursive: true }));

/** Options whose keys are fetched without a file. */
function withoutTokenFile(options: KubernetesOptions) {
  return { ...kubernetes(options), keys: { from: 'jwks', uri: jwks } as const };
}

describe('kubernetes', () => {
  it('accepts a listed service account or namespace, without scopes and roles', async () => {
    const options = withoutTokenFile({ audience, serviceAccounts: ['shop/frontend'], namespaces: ['jobs'] });
    expect(await provider.verify(options, provider.token())).toMatchObject({ scopes: [], roles: [], permissions: [] });
    expect(await provider.outcome(options, provider.token(account('jobs', 'nightly')))).toBe('accepted');
  });

  it('accepts each service account of the cluster with `insecureAllowAnyone`', async () => {
    const options = withoutTokenFile({ audience, insecureAllowAnyone: true });
    expect(await provider.outcome(options, provider.token(account('evil', 'default')))).toBe('accepted');
  });

  it.each([
    ['ES256', 'p-256'],
    ['ES384', 'p-384'],
  ] as const)('accepts a token signed with %s', async (alg, kind) => {
    const cluster = new Provider(claims, {}, alg, kind).publishKeys(jwks);
    const options = withoutTokenFile({ audience, namespaces: ['shop'] });
    expect(await cluster.outcome(options, cluster.token())).toBe('accepted');
  });

  rejectsTokens(provider, withoutTokenFile({ audience, serviceAccounts: ['shop/frontend'] }), [
    ['of another service account', account('shop', 'default'), 'CLAIM_INVALID'],
    ['of another namespace', account('evil', 'frontend'), 'CLAIM_INVALID'],
    ['with the service account only in `sub`', { 'kubernetes.io': undefined }, 'CLAIM_MISSING'],
    ['of a node', { 'kubernetes.io': { node: { name: 'my-node' } } }, 'CLAIM_INVALID'],
    ['with a name that contains a slash', account('shop/frontend', ''), 'CLAIM_INVALID'],
    ['for the API server', { aud: [iss] }, 'AUDIENCE_MISMATCH'],
    ['without an audience', { aud: undefined }, 'CLAIM_MISSING'],
    ['of a Secret, which does not expire', { exp: undefined }, 'CLAIM_MISSING'],
    ['of a Secret, with its issuer', { iss: 'kubernetes/serviceaccount' }, 'ISSUER_UNTRUSTED'],
    ['of another cluster', { iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('rejects each token for `insecureAllowAnyone` that names no service account (CLAIM_INVALID)', async () => {
    const options = withoutTokenFile({ audience, insecureAllowAnyone: true });
    const token = provider.token({ 'kubernetes.io': { namespace: 'shop', serviceaccount: 'frontend' } });
    expect(await provider.outcome(options, token)).toBe('CLAIM_INVALID');
  });

  it('fetches keys from the API server with the current token of the pod', async () => {
    const { keys } = kubernetes({ audience, namespaces: ['shop'], tokenFile });
    if (keys?.from !== 'jwks' || typeof keys.headers !== 'function') throw new Error('has no headers');
    expect(keys.uri).toBe(jwks);
    expect(await keys.headers()).toEqual({ authorization: 'Bearer first-token' });
    await writeFile(tokenFile, 'second-token\n');
    expect(await keys.headers()).toEqual({ authorization: 'Bearer second-token' });
  });

  it('has no keys without the token of the pod (KEYS_UNAVAILABLE)', async () => {
    const options = kubernetes({ audience, namespaces: ['shop'], tokenFile: join(folder, 'nothing') });
    expect(await provider.outcome(options, provider.token())).toBe('KEYS_UNAVAILABLE');
  });

  it('finds the keys of a managed cluster by its metadata, without a token', async () => {
    // https://learn.microsoft.com/azure/aks/workload-identity-deploy-cluster
    const issuer =
      'https://eastus.oic.prod-aks.azure.com/00000000-0000-0000-0000-000000000000/11111111-1111-1111-1111-111111111111/';
    const cluster = new Provider({ ...claims, iss: issuer }, {});
    cluster.publish(issuer, `${issuer}openid/v1/jwks`, `${issuer}.well-known/openid-configuration`);
    const options = kubernetes({ audience, namespaces: ['shop'], issuer });
    expect(options.keys).toEqual({ from: 'discovery' });
    expect(await cluster.outcome(options, cluster.token())).toBe('accepted');
  });

  it('fetches the keys of another issuer from the API server with `apiServer`', () => {
    const own = { issuer: 'https://cluster.example.com', apiServer: 'https://10.96.0.1/' };
    expect(kubernetes({ audience, namespaces: ['shop'], ...own })).toMatchObject({
      issuer: 'https://cluster.example.com',
      keys: { from: 'jwks', uri: 'https://10.96.0.1/openid/v1/jwks' },
    });
  });

  it.each([iss, 'https://kubernetes.default.svc'])('rejects the audience of the API server: %s', (name) => {
    expect(problemsOf(() => kubernetes({ audience: ['api', name], namespaces: ['shop'] }))).toEqual([
      expect.stringMatching(/^kubernetes\(\)\.audience\[1\]: .* This is the audience of the API server/),
    ]);
  });

  const callers = { serviceAccounts: ['shop/frontend'] };
  rejectsOptions(kubernetes, { audience }, [
    [{}, 'serviceAccounts: is missing. Anyone who can run a pod in the cluster can get a token for your audience'],
    [{ insecureAllowAnyone: false }, 'serviceAccounts: is missing. Anyone'],
    [{ serviceAccounts: [] }, 'serviceAccounts: is an empty list'],
    [{ serviceAccounts: ['frontend'] }, 'serviceAccounts[0]: is "frontend". Set it to a namespace and the name'],
    [{ serviceAccounts: ['shop/*'] }, 'serviceAccounts[0]: is "shop/*". Set it to a namespace and the name'],
    [{ namespaces: ['shop/frontend'] }, 'namespaces[0]: is "shop/frontend". Set it to a namespace'],
    [{ namespaces: ['*'] }, 'namespaces[0]: is "*". Set it to a namespace'],
    [{ ...callers, insecureAllowAnyone: true }, 'insecureAllowAnyone: is set beside a list of callers'],
    [
      { ...callers, issuer: 'kubernetes/serviceaccount' },
      'issuer: is "kubernetes/serviceaccount". Set it to the issuer',
    ],
    [
      { ...callers, issuer: 'http://cluster.example.com' },
      'issuer: is "http://cluster.example.com". Set it to the issuer',
    ],
    [{ ...callers, issuer: audience }, `audience: is "${audience}". This is the audience of the API server`],
    [{ ...callers, apiServer: jwks }, 'Remove /openid/v1/jwks, which the preset appends.'],
    [
      { ...callers, issuer: 'https://cluster.example.com', tokenFile: '/token' },
      'tokenFile: is set without `apiServer`. Set both, or remove it.',
    ],
  ]);
});
