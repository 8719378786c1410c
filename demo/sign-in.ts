import { createHash, randomBytes } from 'node:crypto';
import { type AuthorizationServer, PUBLIC_CLIENT_ID } from './authorization-server.js';

/** Signs a user in as a browser does: authorization code with PKCE (RFC 7636), including the sign-in and consent pages. */
export async function signIn(
  server: AuthorizationServer,
  {
    login,
    redirectUri,
    resource,
    scope = 'openid read:orders',
  }: { login: string; redirectUri: string; resource: string; scope?: string },
): Promise<{ accessToken: string; idToken: string }> {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const request = new URLSearchParams({
    client_id: PUBLIC_CLIENT_ID,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    resource,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const response = await authorize(`${server.issuer}/auth?${request.toString()}`, redirectUri, login);
  const tokens = await server.token({
    grant_type: 'authorization_code',
    client_id: PUBLIC_CLIENT_ID,
    code: response.get('code') ?? '',
    code_verifier: verifier,
    redirect_uri: redirectUri,
    resource,
  });
  return { accessToken: String(tokens.access_token), idToken: String(tokens.id_token) };
}

/** Opens the address of an authorization request as a browser does, and returns the parameters of the response (RFC 6749 §4.1.2). */
export async function authorize(address: string, redirectUri: string, login: string): Promise<URLSearchParams> {
  const cookies = new Map<string, string>();
  let location = address;
  let form: URLSearchParams | undefined;
  // There are two pages, with redirects before and after each.
  for (let step = 0; step < 12; step += 1) {
    const response = await fetch(location, {
      method: form ? 'POST' : 'GET',
      body: form ?? null,
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const [name = '', value = ''] = pair.split('=');
      cookies.set(name, value);
    }
    const next = response.headers.get('location');
    if (next !== null) {
      location = new URL(next, location).href;
      form = undefined;
      const { searchParams } = new URL(location);
      if (location.startsWith(redirectUri) && searchParams.has('code')) return searchParams;
      continue;
    }
    const page = await response.text();
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    const action = /action="([^"]+)"/.exec(page)?.[1];
    if (prompt === undefined || action === undefined)
      throw new Error(`No form on the page at ${location} (status ${String(response.status)})`);
    location = new URL(action, location).href;
    form = new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt });
  }
  throw new Error('The authorization server did not issue a code');
}
