import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
import { authorizeButton } from '../../../src/swagger/authorize-button.js';
import { pathsOf } from '../../support/catching.js';

const UI = 'https://api.example.com/docs';

describe('authorizeButton', () => {
  it('configures authorization code with PKCE and the redirect to Swagger UI', () => {
    expect(authorizeButton({ clientId: 'docs', uiUrl: `${UI}/` }).swaggerOptions).toEqual({
      oauth2RedirectUrl: `${UI}/oauth2-redirect.html`,
      initOAuth: {
        clientId: 'docs',
        scopes: [],
        usePkceWithAuthorizationCodeGrant: true,
        additionalQueryStringParams: {},
      },
    });
  });

  it('sends the scopes, the resource and other parameters', () => {
    const { initOAuth } = authorizeButton({
      clientId: 'docs',
      uiUrl: UI,
      scopes: ['read'],
      resource: 'https://orders.example.com',
      parameters: { prompt: 'login' },
    }).swaggerOptions;
    expect(initOAuth.scopes).toEqual(['read']);
    expect(initOAuth.additionalQueryStringParams).toEqual({ resource: 'https://orders.example.com', prompt: 'login' });
  });

  it('calls a function for the address when the page is written, also from a copy, and rejects its address then', () => {
    let url = 'http://api.example.com';
    const button = authorizeButton({ clientId: 'docs', uiUrl: () => `${url}/docs` });
    const copy = { ...button.swaggerOptions };
    expect(() => JSON.stringify(copy)).toThrow(ConfigurationError);
    url = 'http://127.0.0.1:3000';
    expect(JSON.parse(JSON.stringify(copy))).toMatchObject({ oauth2RedirectUrl: `${url}/docs/oauth2-redirect.html` });
  });

  it('accepts http beyond loopback only with insecureAllowHttp', () => {
    const uiUrl = 'http://api.internal/docs';
    for (const given of [uiUrl, () => uiUrl])
      expect(JSON.stringify(authorizeButton({ clientId: 'docs', uiUrl: given, insecureAllowHttp: true }))).toContain(
        `${uiUrl}/oauth2-redirect.html`,
      );
  });

  it('reports every problem, each with its path', () => {
    const options = {
      clientID: 'docs',
      uiUrl: '/docs',
      scopes: ['read', ''],
      resource: 'orders',
      parameters: { prompt: 1, state: 'x' },
      swaggerOptions: { initOAuth: {} },
    };
    expect(pathsOf(() => authorizeButton(options as never))).toEqual([
      'clientId',
      'uiUrl',
      'scopes[1]',
      'parameters.prompt',
      'parameters.state',
      'resource',
      'swaggerOptions.initOAuth',
      'clientID',
    ]);
  });

  it('does not compile with options of Swagger UI that it sets', () => {
    const swaggerOptions = { initOAuth: { clientId: 'other' } };
    // @ts-expect-error The button sets them.
    expect(() => authorizeButton({ clientId: 'docs', uiUrl: UI, swaggerOptions })).toThrow(ConfigurationError);
  });

  it.each([
    [{ clientId: '' }, /clientId: is missing/],
    [{ uiUrl: undefined }, /uiUrl: is missing/],
    [{ uiUrl: 'http://api.example.com/docs' }, /uiUrl: is ".* Set it to an https address/],
    [{ uiUrl: 'javascript:alert(1)' }, /uiUrl: is ".* Set it to an https address/],
    [{ uiUrl: `${UI}?a=b` }, /uiUrl: must not have a query/],
    [{ uiUrl: `${UI}#` }, /uiUrl: must not have a query/],
    [{ insecureAllowHttp: 'yes' }, /insecureAllowHttp: is "yes"/],
    [{ scope: 'read' }, /scope: is unknown. Did you mean `scopes`/],
    [{ scopes: 'read' }, /scopes: is "read"/],
    [{ scopes: ['read write'] }, /scopes: contains "read write"/],
    [{ resource: '' }, /resource: is missing/],
    [{ resource: 'https://a.example.com/#b' }, /resource: must be an absolute URI/],
    [{ resource: 'urn:a', parameters: { resource: 'urn:b' } }, /parameters.resource: is also given/],
    [{ parameters: 'a=b' }, /parameters: is "a=b"/],
    [{ parameters: { redirect_uri: UI } }, /parameters.redirect_uri: is set by Swagger UI/],
    [{ swaggerOptions: { oauth2RedirectUrl: UI } }, /swaggerOptions.oauth2RedirectUrl: is set by/],
    [{ swaggerOptions: true }, /swaggerOptions: is true/],
  ])('rejects %j', (options, message) => {
    const configure = () => authorizeButton({ clientId: 'docs', uiUrl: UI, ...options } as never);
    expect(configure).toThrow(ConfigurationError);
    expect(configure).toThrow(message);
  });
});
