import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/errors.js';
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

  it.each([
    [{ clientId: '', uiUrl: UI }, /clientId/],
    [{ clientId: undefined, uiUrl: UI }, /clientId/],
    [{ clientId: 'docs', uiUrl: '/docs' }, /uiUrl/],
    [{ clientId: 'docs', uiUrl: 'ftp://api.example.com/docs' }, /uiUrl/],
    [{ clientId: 'docs', uiUrl: undefined }, /uiUrl/],
  ])('refuses %j', (options, message) => {
    const make = () => authorizeButton(options as never);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});
