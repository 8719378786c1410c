import type { SwaggerCustomOptions } from '@nestjs/swagger';
import { OptionReader } from '../options/option-reader.js';
import { problemOfNames } from '../model/requirement.js';
import { readBrowserAddress } from './browser-address.js';

export interface AuthorizeButtonOptions {
  /** A public client (RFC 6749 §2.1) of the authorization server: Swagger UI can keep no secret. */
  readonly clientId: string;
  /**
   * Where Swagger UI is served: `https://api.example.com/docs`; https, or http on loopback. With `/oauth2-redirect.html` behind it,
   * this is the redirect URI that the client must have been registered with, to the letter. A function is asked when the page is
   * opened, for a port that is known only when the application listens.
   */
  readonly uiUrl: string | (() => string);
  /** Scopes that are ticked beforehand. Default: none. */
  readonly scopes?: readonly string[];
  /** The audience that the token is to be for (`resource`, RFC 8707 §2: an absolute URI), with authorization servers that go by it. */
  readonly resource?: string;
  /** More for the authorization request: `{ audience: '…' }` for Auth0. Not what Swagger UI writes there itself. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * More options of Swagger UI, `{ persistAuthorization: true }`. They stand here and not beside the button in
   * `SwaggerModule.setup`: a second `swaggerOptions` there would take the place of the button's.
   */
  readonly swaggerOptions?: NonNullable<SwaggerCustomOptions['swaggerOptions']> & {
    readonly initOAuth?: never;
    readonly oauth2RedirectUrl?: never;
  };
  /** Takes any `uiUrl` of http, in a closed network: whoever is on the path can change the page. Default: `false`. */
  readonly insecureAllowHttp?: boolean;
}

/** For `SwaggerModule.setup`. */
export interface AuthorizeButton {
  readonly swaggerOptions: {
    /** With a function as `uiUrl`, what becomes the address when the page is written. */
    readonly oauth2RedirectUrl: string | { toJSON(): string };
    readonly initOAuth: {
      clientId: string;
      scopes: string[];
      usePkceWithAuthorizationCodeGrant: true;
      additionalQueryStringParams: Record<string, string>;
    };
    /** Those that were given. */
    readonly [option: string]: unknown;
  };
}

const OPTIONS = ['clientId', 'uiUrl', 'scopes', 'resource', 'parameters', 'swaggerOptions', 'insecureAllowHttp'];

// RFC 6749 §3.1: a parameter must not stand in a request twice.
const OWN_PARAMETERS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
];

/**
 * Sets up the Authorize button of Swagger UI for authorization code with PKCE (RFC 7636):
 * `SwaggerModule.setup('docs', app, document, authorizeButton({ clientId: 'docs', uiUrl: 'https://api.example.com/docs' }))`.
 * The document must have an `oauth2` or `openIdConnect` scheme, and the token endpoint must allow the UI's origin (CORS).
 *
 * The token stays in the page: it is gone when that is loaded anew. `swaggerOptions: { persistAuthorization: true }` keeps it in the
 * browser's storage.
 *
 * @throws ConfigurationError with every problem of the options; of the address that a function gives, when the page is asked for.
 */
export function authorizeButton(options: AuthorizeButtonOptions): AuthorizeButton {
  const reader = new OptionReader(options);
  reader.allowOnly(OPTIONS);
  const allowHttp = reader.optional('insecureAllowHttp', 'boolean') ?? false;
  const clientId = reader.requiredString('clientId', 'the id of a public client of the authorization server');
  const oauth2RedirectUrl = readRedirectUrl(reader, allowHttp);
  const scopes = readScopes(reader);
  const additionalQueryStringParams = readParameters(reader);
  const others = readOthers(reader);
  reader.finish(SUMMARY);
  return {
    swaggerOptions: {
      ...others,
      oauth2RedirectUrl,
      initOAuth: { clientId, scopes, usePkceWithAuthorizationCodeGrant: true, additionalQueryStringParams },
    },
  };
}

const SUMMARY = 'Swagger UI cannot be set up';

/** Not a getter: whoever copies the options before the application listens would read it too early. */
class LateAddress {
  constructor(private readonly read: () => string) {}

  toJSON(): string {
    return this.read();
  }
}

function readRedirectUrl(reader: OptionReader, allowHttp: boolean): string | LateAddress {
  const { uiUrl } = reader.record;
  if (typeof uiUrl !== 'function') return redirectUrl(reader, allowHttp);
  return new LateAddress(() => {
    const late = new OptionReader({ uiUrl: (uiUrl as () => unknown)() });
    const address = redirectUrl(late, allowHttp);
    late.finish(SUMMARY);
    return address;
  });
}

function redirectUrl(reader: OptionReader, allowHttp: boolean): string {
  const meaning = "the address of Swagger UI, 'https://api.example.com/docs'";
  const address = readBrowserAddress(reader, 'uiUrl', meaning, allowHttp);
  if (/[?#]/.test(address)) reader.problem('uiUrl', 'must have no query and no fragment: a path is put behind it');
  return `${address.replace(/\/+$/, '')}/oauth2-redirect.html`;
}

function readScopes(reader: OptionReader): string[] {
  const before = reader.problemCount;
  const scopes = reader.stringList('scopes') ?? [];
  const problem = scopes.length === 0 || reader.problemCount > before ? undefined : problemOfNames('scopes', scopes);
  if (problem !== undefined) reader.problem('scopes', problem);
  return [...scopes];
}

function readParameters(reader: OptionReader): Record<string, string> {
  const parameters = reader.optionalChild('parameters');
  for (const [name, value] of Object.entries(parameters.record)) {
    if (typeof value !== 'string') parameters.problem(name, 'must be a string');
    if (OWN_PARAMETERS.includes(name)) parameters.problem(name, 'is written by Swagger UI itself');
  }
  const added = { ...parameters.record } as Record<string, string>;
  if (reader.record.resource === undefined) return added;
  if (added.resource !== undefined) parameters.problem('resource', 'is given as resource, too');
  const before = reader.problemCount;
  const resource = reader.requiredString('resource', 'the audience that the token is to be for');
  if (reader.problemCount === before && (!URL.canParse(resource) || resource.includes('#')))
    reader.problem('resource', 'must be an absolute URI without a fragment (RFC 8707 §2)');
  return { ...added, resource };
}

function readOthers(reader: OptionReader): Readonly<Record<string, unknown>> {
  const others = reader.optionalChild('swaggerOptions');
  for (const name of ['initOAuth', 'oauth2RedirectUrl'])
    if (name in others.record) others.problem(name, 'is what the button is made of; leave it out');
  return others.record;
}
