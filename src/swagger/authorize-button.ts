import { ConfigurationError } from '../errors.js';

export interface AuthorizeButtonOptions {
  /** A public client (RFC 6749 §2.1) of the authorization server: Swagger UI can keep no secret. */
  readonly clientId: string;
  /**
   * Where Swagger UI is served: `https://api.example.com/docs`. With `/oauth2-redirect.html` behind it, this is the redirect URI that
   * the client must have been registered with, to the letter. A function is asked when the page is opened, for a port that is
   * known only when the application listens.
   */
  readonly uiUrl: string | (() => string);
  /** Scopes that are ticked beforehand. Default: none. */
  readonly scopes?: readonly string[];
  /** The audience that the token is to be for (`resource`, RFC 8707 §2), with authorization servers that go by it. */
  readonly resource?: string;
  /** More for the authorization request: `{ audience: '…' }` for Auth0. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** For `SwaggerModule.setup`. */
export interface AuthorizeButton {
  readonly swaggerOptions: {
    readonly oauth2RedirectUrl: string;
    readonly initOAuth: {
      clientId: string;
      scopes: string[];
      usePkceWithAuthorizationCodeGrant: true;
      additionalQueryStringParams: Record<string, string>;
    };
  };
}

/**
 * Sets up the Authorize button of Swagger UI for authorization code with PKCE (RFC 7636):
 * `SwaggerModule.setup('docs', app, document, authorizeButton({ clientId: 'docs', uiUrl: 'https://api.example.com/docs' }))`.
 * The document must have an `oauth2` or `openIdConnect` scheme, and the token endpoint must allow the UI's origin (CORS).
 *
 * The token stays in the page: it is gone when that is loaded anew. `persistAuthorization` of Swagger UI would keep it in the
 * browser's storage.
 *
 * @throws ConfigurationError
 */
export function authorizeButton(options: AuthorizeButtonOptions): AuthorizeButton {
  const { clientId, uiUrl, scopes = [], resource, parameters = {} } = options;
  if (typeof (clientId as unknown) !== 'string' || clientId === '')
    throw problem('clientId', 'must be the id of a public client of the authorization server');
  if (typeof uiUrl !== 'function') redirectUrl(uiUrl);
  return {
    swaggerOptions: {
      // Read when the page is asked for the first time.
      get oauth2RedirectUrl() {
        return redirectUrl(typeof uiUrl === 'function' ? uiUrl() : uiUrl);
      },
      initOAuth: {
        clientId,
        scopes: [...scopes],
        usePkceWithAuthorizationCodeGrant: true,
        additionalQueryStringParams: { ...parameters, ...(resource !== undefined && { resource }) },
      },
    },
  };
}

function redirectUrl(uiUrl: unknown): string {
  if (typeof uiUrl !== 'string' || !/^https?:/i.test(uiUrl) || !URL.canParse(uiUrl))
    throw problem('uiUrl', "must be the address of Swagger UI, 'https://api.example.com/docs'");
  return `${uiUrl.replace(/\/+$/, '')}/oauth2-redirect.html`;
}

function problem(path: string, message: string): ConfigurationError {
  return new ConfigurationError([{ path, message }], 'Swagger UI cannot be set up');
}
