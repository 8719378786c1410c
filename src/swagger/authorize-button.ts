import type { SwaggerCustomOptions } from '@nestjs/swagger';
import { withoutTrailingSlashes } from '../model/address.js';
import { OptionReader } from '../options/option-reader.js';

export interface AuthorizeButtonOptions {
  /** The id of a public client (RFC 6749 §2.1) of the authorization server; Swagger UI cannot keep a secret. */
  readonly clientId: string;
  /**
   * The address of Swagger UI, for example `https://api.example.com/docs`: https, or http on loopback. Register the client with
   * exactly this address followed by `/oauth2-redirect.html` as its redirect URI. A function is called when the page is opened,
   * for a port that is known only when the application listens.
   */
  readonly uiUrl: string | (() => string);
  /** Scopes that are preselected. Default: none. */
  readonly scopes?: readonly string[];
  /** The audience of the token (`resource`, RFC 8707 §2: an absolute URI), if the authorization server supports it. */
  readonly resource?: string;
  /** Further parameters of the authorization request, for example `{ audience: '…' }` for Auth0. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * Further options of Swagger UI, for example `{ persistAuthorization: true }`, which keeps the token in the browser's storage when the
   * page is reloaded. Put them here: another `swaggerOptions` in `SwaggerModule.setup` replaces those of the button.
   */
  readonly swaggerOptions?: NonNullable<SwaggerCustomOptions['swaggerOptions']> & {
    readonly initOAuth?: never;
    readonly oauth2RedirectUrl?: never;
  };
  /** Accepts any http address as `uiUrl`, for a closed network: an attacker on the path can change the page. Default: `false`. */
  readonly insecureAllowHttp?: boolean;
}

/** Options for `SwaggerModule.setup`. */
export interface AuthorizeButton {
  readonly swaggerOptions: {
    /** If `uiUrl` is a function, an object that becomes the address when the page is written. */
    readonly oauth2RedirectUrl: string | { toJSON(): string };
    readonly initOAuth: {
      clientId: string;
      scopes: string[];
      usePkceWithAuthorizationCodeGrant: true;
      additionalQueryStringParams: Record<string, string>;
    };
    /** The options that `swaggerOptions` adds. */
    readonly [option: string]: unknown;
  };
}

// RFC 6749 §3.1: a request must not include a parameter twice.
const OWN_PARAMETER = /^(?:response_type|client_id|redirect_uri|scope|state|code_challenge|code_challenge_method)$/;

/**
 * Configures the Authorize button of Swagger UI for authorization code with PKCE (RFC 7636):
 * `SwaggerModule.setup('docs', app, document, authorizeButton({ clientId: 'docs', uiUrl: 'https://api.example.com/docs' }))`.
 * The document needs an `oauth2` or `openIdConnect` scheme, and the token endpoint must allow the UI's origin (CORS).
 *
 * @throws ConfigurationError with every invalid option. The address from a function is checked when the page is requested.
 */
export function authorizeButton(options: AuthorizeButtonOptions): AuthorizeButton {
  const reader = new OptionReader(options);
  const allowHttp = reader.flag('insecureAllowHttp');
  const clientId = reader.requiredString('clientId', 'the id of a public client of the authorization server');
  const uiUrl = reader.value('uiUrl') as AuthorizeButtonOptions['uiUrl'] | undefined;
  const readLate = (getUrl: () => string) => ({
    toJSON: () => authorizeButton({ ...options, uiUrl: getUrl() }).swaggerOptions.oauth2RedirectUrl as string,
  });
  // Not a getter: a copy of the options would read the address before the application listens.
  const oauth2RedirectUrl = typeof uiUrl === 'function' ? readLate(uiUrl) : readRedirectUrl(reader, allowHttp);
  const scopes = [...(reader.names('scopes', 'scopes') ?? [])];
  const additionalQueryStringParams = readParameters(reader);
  const others = reader.optionalChild('swaggerOptions');
  for (const name of ['initOAuth', 'oauth2RedirectUrl'])
    if (name in others.record) others.problem(name, 'is set by authorizeButton. Remove it');
  reader.allowOnly();
  reader.finish('Swagger UI cannot be configured');
  return {
    swaggerOptions: {
      ...others.record,
      oauth2RedirectUrl,
      initOAuth: { clientId, scopes, usePkceWithAuthorizationCodeGrant: true, additionalQueryStringParams },
    },
  };
}

function readRedirectUrl(reader: OptionReader, allowHttp: boolean): string {
  const meaning = 'the address of Swagger UI, for example "https://api.example.com/docs"';
  const address = reader.address('uiUrl', meaning, allowHttp);
  if (/[?#]/.test(address)) reader.problem('uiUrl', 'must not have a query or a fragment');
  return `${withoutTrailingSlashes(address)}/oauth2-redirect.html`;
}

function readParameters(reader: OptionReader): Record<string, string> {
  const parameters = reader.optionalChild('parameters');
  for (const [name, value] of Object.entries(parameters.record)) {
    if (typeof value !== 'string') parameters.problem(name, 'must be a string');
    if (OWN_PARAMETER.test(name)) parameters.problem(name, 'is set by Swagger UI. Remove it');
  }
  const added = parameters.record as Record<string, string>;
  if (!reader.has('resource')) return { ...added };
  if (parameters.has('resource')) parameters.problem('resource', 'is also given as the option resource. Remove one');
  const resource = reader.requiredString('resource', 'the audience of the token');
  if (resource !== '' && (!URL.canParse(resource) || resource.includes('#')))
    reader.problem('resource', 'must be an absolute URI without a fragment (RFC 8707 §2)');
  return { ...added, resource };
}
