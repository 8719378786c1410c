import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, type ConfigurationProblem } from '../../../src/model/errors.js';
import { authorizeButton } from '../../../src/swagger/authorize-button.js';

const UI = 'https://api.example.com/docs';

describe('authorizeButton', () => {
  it('asks for authorization code with PKCE, and comes back to the page of Swagger UI', () => {
    expect(authorizeButton({ clientId: 'docs', uiUrl: UI }).swaggerOptions).toEqual({
      oauth2RedirectUrl: `${UI}/oauth2-redirect.html`,
      initOAuth: {
        clientId: 'docs',
        scopes: [],
        usePkceWithAuthorizationCodeGrant: true,
        additionalQueryStringParams: {},
      },
    });
  });

  it('sends the resource and other parameters', () => {
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

  it('asks for an address that is not known yet when the page is written, not before', () => {
    const urls: string[] = [];
    const { swaggerOptions } = authorizeButton({ clientId: 'docs', uiUrl: () => `${urls.join('')}/docs/` });
    urls.push('http://127.0.0.1:3000');
    expect(JSON.parse(JSON.stringify(swaggerOptions))).toMatchObject({
      oauth2RedirectUrl: 'http://127.0.0.1:3000/docs/oauth2-redirect.html',
    });
  });

  it('is set up with more options of Swagger UI, and stays what it is', () => {
    const { swaggerOptions } = authorizeButton({
      clientId: 'docs',
      uiUrl: UI,
      swaggerOptions: { persistAuthorization: true },
    });
    expect(swaggerOptions).toMatchObject({
      persistAuthorization: true,
      oauth2RedirectUrl: `${UI}/oauth2-redirect.html`,
      initOAuth: { usePkceWithAuthorizationCodeGrant: true },
    });
  });

  it('may be copied before the address is known', () => {
    const urls: string[] = [];
    const button = authorizeButton({ clientId: 'docs', uiUrl: () => `${urls.join('')}/docs` });
    const copied = { ...button.swaggerOptions, persistAuthorization: true };
    urls.push('http://127.0.0.1:3000');
    expect(JSON.parse(JSON.stringify(copied))).toMatchObject({
      oauth2RedirectUrl: 'http://127.0.0.1:3000/docs/oauth2-redirect.html',
      persistAuthorization: true,
    });
  });

  it('refuses an address of a function when the page is written', () => {
    const { swaggerOptions } = authorizeButton({ clientId: 'docs', uiUrl: () => 'http://api.example.com/docs' });
    expect(() => JSON.stringify(swaggerOptions)).toThrow(ConfigurationError);
  });

  it('takes http beyond loopback only where that is said', () => {
    const uiUrl = 'http://api.internal/docs';
    const { swaggerOptions } = authorizeButton({ clientId: 'docs', uiUrl, insecureAllowHttp: true });
    expect(swaggerOptions.oauth2RedirectUrl).toBe(`${uiUrl}/oauth2-redirect.html`);
    const late = authorizeButton({ clientId: 'docs', uiUrl: () => uiUrl, insecureAllowHttp: true });
    expect(JSON.stringify(late)).toContain(`${uiUrl}/oauth2-redirect.html`);
  });

  it('tells all that is wrong together, each with its path', () => {
    const problems = problemsOf({
      clientID: 'docs',
      uiUrl: '/docs',
      scopes: ['read', ''],
      resource: 'orders',
      parameters: { prompt: 1, state: 'x' },
      swaggerOptions: { initOAuth: {} },
    });
    expect(problems.map(({ path }) => path)).toEqual([
      'clientID',
      'clientId',
      'uiUrl',
      'scopes[1]',
      'parameters.prompt',
      'parameters.state',
      'resource',
      'swaggerOptions.initOAuth',
    ]);
  });

  it('does not compile with options of Swagger UI that are its own', () => {
    const swaggerOptions = { initOAuth: { clientId: 'other' } };
    // @ts-expect-error They would be lost, or take the login's place.
    expect(() => authorizeButton({ clientId: 'docs', uiUrl: UI, swaggerOptions })).toThrow(ConfigurationError);
  });

  it.each([
    [{ clientId: '', uiUrl: UI }, /clientId/],
    [{ clientId: undefined, uiUrl: UI }, /clientId/],
    [{ clientId: 'docs', uiUrl: '/docs' }, /uiUrl/],
    [{ clientId: 'docs', uiUrl: 'ftp://api.example.com/docs' }, /uiUrl/],
    [{ clientId: 'docs', uiUrl: undefined }, /uiUrl/],
    [{ clientId: 'docs', uiUrl: 'http://api.example.com/docs' }, /uiUrl: must be an https address/],
    [{ clientId: 'docs', uiUrl: 'javascript:alert(1)' }, /uiUrl: must be an https address/],
    [{ clientId: 'docs', uiUrl: 'https://undefined/docs' }, /uiUrl: .* Set the variable/],
    [{ clientId: 'docs', uiUrl: `${UI}?a=b` }, /uiUrl: must have no query/],
    [{ clientId: 'docs', uiUrl: `${UI}#` }, /uiUrl: must have no query/],
    [{ clientId: 'docs', uiUrl: UI, insecureAllowHttp: 'yes' }, /insecureAllowHttp: .* Set it to true or false/],
    [{ clientId: 'docs', uiUrl: UI, scope: 'read' }, /scope: is unknown. Did you mean `scopes`/],
    [{ clientId: 'docs', uiUrl: UI, scopes: 'read' }, /scopes: .* Set it to a list/],
    [{ clientId: 'docs', uiUrl: UI, scopes: ['read write'] }, /scopes: contains "read write"/],
    [{ clientId: 'docs', uiUrl: UI, resource: '' }, /resource: is missing/],
    [{ clientId: 'docs', uiUrl: UI, resource: 'https://a.example.com/#b' }, /resource: must be an absolute URI/],
    [{ clientId: 'docs', uiUrl: UI, resource: 'urn:a', parameters: { resource: 'urn:b' } }, /parameters.resource: is/],
    [{ clientId: 'docs', uiUrl: UI, parameters: 'a=b' }, /parameters: .* Set it to an object/],
    [{ clientId: 'docs', uiUrl: UI, parameters: { redirect_uri: UI } }, /parameters.redirect_uri: is written by/],
    [
      { clientId: 'docs', uiUrl: UI, swaggerOptions: { oauth2RedirectUrl: UI } },
      /swaggerOptions.oauth2RedirectUrl: is/,
    ],
    [{ clientId: 'docs', uiUrl: UI, swaggerOptions: true }, /swaggerOptions: .* Set it to an object/],
    [undefined, /options: .* Set it to an object/],
  ])('refuses %j', (options, message) => {
    const make = () => authorizeButton(options as never);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});

function problemsOf(options: object): readonly ConfigurationProblem[] {
  try {
    authorizeButton(options as never);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}
