/**
 * Where else an issuer may have its metadata when it has none where its name says: a path too many, a path that was left out.
 * Of known servers, and of this very host.
 */
export function otherSpellings(issuer: string): readonly string[] {
  const { origin, pathname, hostname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const parts = path.split('/').filter((part) => part !== '');
  const above = parts
    .map((_part, index) =>
      parts
        .slice(0, index)
        .map((part) => `/${part}`)
        .join(''),
    )
    .reverse();
  const others = [...(OKTA.test(hostname) ? ['/oauth2/default'] : []), ...above].map((other) => origin + other);
  return [...new Set([...knownSpellings(issuer), ...others])].filter((other) => other !== origin + path).slice(0, MOST);
}

/** Of these, those that are the same realm or tenant of a known server. A path that is further up may be another tenant. */
export function knownSpellings(issuer: string): readonly string[] {
  const { origin, pathname, hostname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    // Keycloak before 17, and after it.
    ...(path.startsWith('/auth/realms/') ? [path.slice('/auth'.length)] : []),
    ...(path.startsWith('/realms/') ? [`/auth${path}`] : []),
    ...(MICROSOFT.has(hostname) && !path.endsWith('/v2.0') ? [`${path}/v2.0`] : []),
    ...(hostname.endsWith('.supabase.co') ? ['/auth/v1'] : []),
    ...(hostname.endsWith('.logto.app') ? ['/oidc'] : []),
  ].map((other) => origin + other);
}

const MICROSOFT: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
]);

const OKTA = /\.okta(?:preview|-emea)?\.com$/;
const MOST = 6;

/** Whether two names differ in what people get wrong only: the slash at the end, the case, the default port, the scheme. */
export function isSameButForSpelling(one: string, other: string): boolean {
  return one !== other && normal(one) === normal(other);
}

function normal(issuer: string): string {
  if (!URL.canParse(issuer)) return issuer.toLowerCase();
  const { host, pathname } = new URL(issuer);
  return `${host}${pathname.replace(/\/+$/, '')}`.toLowerCase();
}

/** What about the slash is to be written otherwise, in words. */
export function slashOf(wrong: string, right: string): string | undefined {
  if (right === `${wrong}/`) return 'with the slash at its end';
  return wrong === `${right}/` ? 'without the slash at its end' : undefined;
}

/** Whether to follow would trade a trusted name for one that anybody on the way can answer for. */
export function isDowngrade(from: string, to: string): boolean {
  return /^https:/i.test(from) && !/^https:/i.test(to);
}
