import { isCommonAudience } from '../../presets/common-audiences.js';
import type { PresetName } from '../../presets/recognised-issuers.js';
import { literal, quoted } from '../printable.js';
import { type CheckRow, ok, problem, skipped } from './check-row.js';
import { nearAudience } from './near-audience.js';
import { slashOf } from './other-spellings.js';
import type { RecognisedProvider } from './recognised-provider.js';
import type { Facts, Verdict } from './token-facts.js';

/** RFC 7519 §4.1.3, or the claim in which this provider names whom a token is for. */
export function audienceRow({ decoded, audience, issuer, provider }: Facts, { passed, code }: Verdict): CheckRow {
  const { audienceClaim: claim } = issuer;
  const value = decoded.claims[claim];
  const expected = audience?.map(quoted).join(' or ') ?? claim;
  if (value === undefined) {
    const mend = `Have the issuer name this API in ${claim}. ${howToGetOne(expected, provider)}${claim === 'aud' ? namesOnlyClient(decoded.claims) : ''}`;
    return problem('token.audience', `the token has no ${claim}`, mend, expected);
  }
  if (code === 'CLAIM_INVALID') {
    const mend = `Have the issuer send ${claim} as a string or a list of strings.`;
    return problem('token.audience', `${claim} is no text`, mend, expected);
  }
  const names = [value].flat().filter((name): name is string => typeof name === 'string');
  const has = Array.isArray(value) ? value.map(quoted).join(', ') : quoted(value);
  const isCommon = (name: string) => isCommonAudience(name, issuer.issuer);
  const own = names.filter((name) => !isCommon(name) && mayBeOwn(name, provider));
  if (audience === undefined) {
    const mend =
      own.length === 0
        ? howToGetOne('this API', provider)
        : `If ${own.length === 1 ? 'that' : own.map(quoted).join(' or ')} is this API, give it as --audience: a token for another API must not be accepted.`;
    return skipped('token.audience', `the token names ${has === '' ? 'nobody' : has}`, mend);
  }
  if (passed === true) return ok('token.audience', has);
  return problem(
    'token.audience',
    has === '' ? 'an empty list' : has,
    mendOf(names.some(isCommon), own, audience, provider),
    expected,
  );
}

function mendOf(
  namesCommon: boolean,
  own: readonly string[],
  audience: readonly string[],
  provider: RecognisedProvider | undefined,
): string {
  const parameter = provider?.audienceParameter ?? 'audience';
  const near = nearAudience(audience, own);
  if (near !== undefined) {
    const slash = slashOf(near.asked, near.named);
    return `Write ${parameter}: ${literal(near.named)}${slash === undefined ? '' : `, ${slash}`}: it is compared to the letter.`;
  }
  const get = howToGetOne(audience.map(quoted).join(' or '), provider);
  if (own.length > 0)
    return `If the token is for this API, write ${parameter}: ${own.map(literal).join(' or ')}; if not, ${get.charAt(0).toLowerCase()}${get.slice(1)}`;
  return namesCommon ? `It is not for your API, but what every token there names. ${get}` : get;
}

/** What may be an API of the user's own, as far as the preset tells. */
function mayBeOwn(name: string, provider: RecognisedProvider | undefined): boolean {
  const parameter = provider?.audienceParameter ?? 'audience';
  return name.trim() !== '' && provider?.call([name]).problems.some(({ path }) => path.startsWith(parameter)) !== true;
}

const HOW: Readonly<Partial<Record<PresetName, string>>> = {
  keycloak:
    'add a mapper of the type Audience for it to the client, or to a client scope of it (Client scopes, Add mapper, Included Client Audience)',
  auth0:
    "have the client send the parameter audience (the API's Identifier) in the authorization request (without a user: in the token request)",
  entraId: 'have the client ask for the scope of the API, api://<client id of the API>/.default say',
  logto: "have the client send the parameter resource (the API's identifier) in the authorization request",
};

function howToGetOne(expected: string, provider: RecognisedProvider | undefined): string {
  const how = provider && HOW[provider.preset];
  if (how !== undefined) return `For a token for ${expected}, ${how}.`;
  return `Ask the issuer for a token for ${expected}: audience=… (Auth0) or resource=… (RFC 8707) in the request, an Audience mapper in Keycloak, the scope of the API in Entra ID.`;
}

/** Where a token says whom it was issued to, and nothing of whom it is for. */
function namesOnlyClient(claims: Readonly<Record<string, unknown>>): string {
  const claim = ['client_id', 'azp', 'appid', 'cid'].find((name) => typeof claims[name] === 'string');
  return claim === undefined
    ? ''
    : ` Where its tokens never have one, and name the client only: audienceClaim: ${literal(claim)}.`;
}
