import { readFile } from 'node:fs/promises';
import { AuthError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import type { IssuerOptions, KeysOptions } from '../options/options.js';
import { PresetReader, providerCheck, type ValidateOption } from './preset-reader.js';
import { matchIssuer, type Provider } from './provider.js';

export interface KubernetesOptions extends ValidateOption {
  /** The audience that callers request: `audience` of their projected volume (`serviceAccountToken`). */
  readonly audience: string | readonly string[];
  /** Service accounts that may call, for example `'shop/frontend'`: the namespace and the name. */
  readonly serviceAccounts?: readonly string[];
  /** Namespaces that may call, with all their service accounts, for example `'shop'`. */
  readonly namespaces?: readonly string[];
  /** Accepts every service account of the cluster. Use it only if other means restrict the callers, for example network policies. */
  readonly insecureAllowAnyone?: boolean;
  /**
   * The issuer of the cluster (`--service-account-issuer` of the API server), exactly as in the tokens. Default
   * `'https://kubernetes.default.svc.cluster.local'`. Managed clusters have a public one, often with a trailing slash.
   */
  readonly issuer?: string;
  /**
   * The URL of the API server, from which keys are then fetched with the token of this pod. Default `'https://kubernetes.default.svc'`
   * if `issuer` begins with it. Otherwise the metadata of the issuer names the keys, and no token is sent.
   */
  readonly apiServer?: string;
  /**
   * The file with the token of this pod for the API server. It is read for each fetch, because it is replaced before the token expires.
   * Default `'/var/run/secrets/kubernetes.io/serviceaccount/token'`.
   */
  readonly tokenFile?: string;
}

const API_SERVER = 'https://kubernetes.default.svc';
const ISSUER_IN_CLUSTER = `${API_SERVER}.cluster.local`;
const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Tokens of Kubernetes service accounts: projected volumes, `kubectl create token` and the TokenRequest API. There are no scopes and roles.
 *
 * **Anyone** who can run a pod in the cluster can get a token for any audience. So `serviceAccounts` or `namespaces` is required (a caller on
 * either list is accepted), or `insecureAllowAnyone: true`.
 *
 * Node must trust the CA of the API server: `NODE_EXTRA_CA_CERTS=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt`.
 *
 * Not supported: legacy tokens of Secrets, which do not expire. Not checked: whether the pod and the service account still exist, which only
 * the TokenReview API knows.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 * @throws ConfigurationError if an option is missing or invalid
 */
export function kubernetes(options: KubernetesOptions): IssuerOptions {
  const reader = new PresetReader('kubernetes', options);
  const meaning = 'the issuer of the cluster, an https URL exactly as in `iss` of the tokens';
  const issuer = reader.optionalText('issuer', meaning, /^https:\/\/[^\s?#@]+$/) ?? ISSUER_IN_CLUSTER;
  const requested = "the audience that callers request, for example 'https://api.example.com'";
  const audience = reader.texts('audience', requested, (name) =>
    isApiServer(name, issuer)
      ? 'This is the audience of the API server: with such a token, this application could act as the caller in the cluster. Set it to an audience of your own.'
      : undefined,
  );
  const account = "a namespace and the name of a service account, for example 'shop/frontend'";
  const accounts = reader.optionalTexts('serviceAccounts', account, /^[a-z\d-]+\/[a-z\d.-]+$/) ?? [];
  const namespaces = reader.optionalTexts('namespaces', "a namespace, for example 'shop'", /^[a-z\d-]+$/) ?? [];
  const allowsAnyone = reader.flag('insecureAllowAnyone');
  const isRestricted = reader.has('serviceAccounts') || reader.has('namespaces');
  if (!isRestricted && !allowsAnyone)
    reader.problem(
      'serviceAccounts',
      'is missing. Anyone who can run a pod in the cluster can get a token for your audience. Set it to the service accounts of the callers, or set insecureAllowAnyone: true.',
    );
  if (isRestricted && allowsAnyone)
    reader.problem('insecureAllowAnyone', 'is set beside a list of callers. Remove one of them.');
  return reader.finishWith({
    issuer,
    audience,
    keys: readKeys(reader, issuer),
    algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
    claimPaths: { scopes: [], roles: [], permissions: [] },
    ...providerCheck(['kubernetes.io'], reader.validate(), (claims) => {
      const { namespace, name } = serviceAccountOf(claims['kubernetes.io']);
      if (allowsAnyone || namespaces.includes(namespace) || accounts.includes(`${namespace}/${name}`)) return;
      const expected = [...accounts, ...namespaces.map((each) => `${each}/*`)];
      throw new AuthError('CLAIM_INVALID', { claim: 'kubernetes.io', expected });
    }),
  });
}

/** The default of `--api-audiences` is the issuer. */
function isApiServer(audience: string, issuer?: string): boolean {
  return audience === issuer || matchIssuer(IN_CLUSTER, audience) !== undefined;
}

function readKeys(reader: PresetReader, issuer: string): KeysOptions {
  const isInCluster = issuer.startsWith(API_SERVER);
  const apiServer = reader.has('apiServer') ? reader.url('apiServer', API_SERVER, /\/openid\/v1\/jwks$/) : API_SERVER;
  const tokenFile = reader.optionalText('tokenFile', 'the path of a file with a token of this pod') ?? TOKEN_FILE;
  if (!isInCluster && !reader.has('apiServer')) {
    if (reader.has('tokenFile')) reader.problem('tokenFile', 'is set without `apiServer`. Set both, or remove it.');
    return { from: 'discovery' };
  }
  return {
    from: 'jwks',
    uri: `${apiServer}/openid/v1/jwks`,
    headers: async () => ({ authorization: `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}` }),
  };
}

/** The members by which the API server itself identifies the caller. A namespace contains no slash, and neither does a name. */
function serviceAccountOf(claim: unknown): { readonly namespace: string; readonly name: string } {
  const { namespace, serviceaccount } = isJsonObject(claim) ? claim : {};
  const { name } = isJsonObject(serviceaccount) ? serviceaccount : {};
  if (typeof namespace === 'string' && typeof name === 'string') return { namespace, name };
  throw new AuthError('CLAIM_INVALID', { claim: 'kubernetes.io', expected: 'a namespace and a service account' });
}

// Clusters of Amazon EKS, Google GKE and Azure AKS.
const PUBLIC_ISSUER =
  /^(?<issuer>https:\/\/(?:oidc\.eks\.[\w-]+\.amazonaws\.com(?:\.cn)?\/id\/\w+|container\.googleapis\.com\/v1\/projects\/[^/]+\/(?:locations|zones)\/[^/]+\/clusters\/[^/]+|[\w-]+\.oic\.prod-aks\.azure\.com\/[\w-]+\/[\w-]+))\/?$/i;
const IN_CLUSTER = /^(?<issuer>https:\/\/kubernetes\.default\.svc(?:\.[\w-]+)*)\/?$/i;

export const kubernetesProvider: Provider<KubernetesOptions> = {
  name: 'kubernetes',
  label: 'Kubernetes',
  configure: kubernetes,
  recognize: (name) => {
    const { issuer } = matchIssuer(IN_CLUSTER, name) ?? matchIssuer(PUBLIC_ISSUER, name) ?? {};
    if (issuer === undefined) return undefined;
    if (issuer.toLowerCase() === ISSUER_IN_CLUSTER) return {};
    // `iss` of AKS ends with a slash.
    return { issuer: new URL(issuer).hostname.endsWith('.azure.com') ? `${issuer}/` : issuer };
  },
  recognizeCustomDomain: (issuer) => matchIssuer(/^(?<issuer>https:\/\/[^\s?#@]+)$/, issuer),
  exampleIssuer: ISSUER_IN_CLUSTER,
  variables: { issuer: 'AUTH_ISSUER', audience: 'AUTH_AUDIENCE', serviceAccounts: 'AUTH_KUBERNETES_SERVICE_ACCOUNT' },
  comments: {
    issuer: 'The issuer of the cluster: kubectl get --raw /.well-known/openid-configuration',
    audience: 'The audience that callers request in their projected volume.',
    serviceAccounts: 'The service account that may call. Any pod in the cluster can get a token for any audience.',
  },
  usualOptions: { issuer: ISSUER_IN_CLUSTER },
  audience: { example: 'https://api.example.com', isCommon: isApiServer },
  callers: { parameter: 'serviceAccounts', example: 'shop/frontend' },
  exampleClaims: ["'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'frontend' } }"],
  advice: {
    AUDIENCE_MISMATCH:
      'Mount a token for this audience in the pod of the caller: a projected volume with serviceAccountToken.audience. The default token is for the API server.',
    CLAIM_MISSING: 'Tokens of Secrets are not supported. Send the token of a projected volume.',
  },
};
