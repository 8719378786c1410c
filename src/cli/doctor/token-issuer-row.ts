import { isFetchableAddress } from '../../model/address.js';
import { literal, printable, quoted } from '../printable.js';
import { type CheckRow, ok, problem } from './check-row.js';
import { type RealmElsewhere, sameRealmElsewhere } from './keycloak-realm.js';
import { isDowngrade, isSameButForSpelling, slashOf } from './other-spellings.js';
import type { Facts } from './token-facts.js';

/** RFC 9068 §4: `iss` to the letter. */
export function issuerRow({ decoded, issuer, published }: Facts): CheckRow {
  const { iss } = decoded.claims;
  const expected = `${quoted(issuer.issuer)} (--issuer)`;
  if (iss === issuer.issuer) return ok('token.issuer', quoted(iss));
  if (typeof iss !== 'string')
    return problem(
      'token.issuer',
      `iss is ${quoted(iss)}`,
      'Have the issuer name itself in iss (RFC 9068 §2.2).',
      expected,
    );
  const write = `issuer: ${literal(iss)}`;
  if (isSameButForSpelling(iss, issuer.issuer) && isDowngrade(issuer.issuer, iss)) {
    const mend = `Have the issuer name itself with https, as it is reached: behind a proxy that ends TLS, by its public address (KC_HOSTNAME in Keycloak) or the proxy's X-Forwarded-Proto.`;
    return problem('token.issuer', quoted(iss), mend, expected);
  }
  if (iss === published.issuer || isSameButForSpelling(iss, issuer.issuer)) {
    const slash = slashOf(issuer.issuer, iss);
    // The metadata must name the issuer to the letter, or they are passed over.
    const also =
      published.location !== undefined && published.issuer !== undefined && published.issuer !== iss
        ? ` Its metadata say ${quoted(published.issuer)}: have the server agree with itself; until then keys: { from: 'jwks', uri: '<its jwks_uri>' }.`
        : '';
    return problem(
      'token.issuer',
      quoted(iss),
      `Write ${write}${slash === undefined ? '' : `, ${slash}`}: it is compared to the letter.${also}`,
      expected,
    );
  }
  const version = microsoftTenant(iss);
  if (version !== undefined && version === microsoftTenant(issuer.issuer)) {
    const mend = `Entra ID has two issuers, of version 1 and of version 2: set requestedAccessTokenVersion (accessTokenAcceptedVersion) of the API's registration to 2, or trust both by entraId() of nestjs-resource-server/presets.`;
    return problem('token.issuer', quoted(iss), mend, expected);
  }
  const realm = sameRealmElsewhere(issuer.issuer, iss);
  if (realm !== undefined) return problem('token.issuer', quoted(iss), mendOfRealm(realm), expected);
  const mend =
    'The token is of another issuer, and none of its keys vouch for that name: anybody can have written it. Get a token from the issuer that was asked for; if the other one is yours, too, run this again with that as --issuer.';
  return problem('token.issuer', quoted(iss), mend, expected);
}

/**
 * What the token names is verified by nobody: keys must not come from there on its word. An address inside a network can only be
 * reached there, and is the user's own.
 */
function mendOfRealm({ asked, named, inside }: RealmElsewhere): string {
  if (inside === undefined)
    return `The same realm on another server, or one server at two addresses: Keycloak names itself by the one at which a token was asked for. If these are two servers, get a token from the right one; if it is one, set its hostname, so that all tokens name the one that users reach (KC_HOSTNAME=${printable(asked)}, if that is it).`;
  const publicUrl = inside === 'named' ? literal(asked) : `'<where users reach Keycloak>'`;
  const hostname = inside === 'named' ? `KC_HOSTNAME=${printable(asked)}` : 'KC_HOSTNAME';
  const internalUrl = inside === 'named' ? named : asked;
  const beside = isFetchableAddress(internalUrl, false) ? '' : ' (with insecureAllowHttp: true beside it)';
  return `The same realm at another address: Keycloak names itself by the one at which a token was asked for. Set its hostname, so that all tokens name one (${hostname}); where this application reaches it inside the network only, say so by the preset: keycloak({ url: ${publicUrl}, internalUrl: ${literal(internalUrl)}, … })${beside}. If these are two servers, get a token from the right one.`;
}

function microsoftTenant(issuer: string): string | undefined {
  return /^https:\/\/(?:sts\.windows\.net|sts\.chinacloudapi\.cn|login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn)\/([\w-]+)/.exec(
    issuer,
  )?.[1];
}
