import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { authorizeButton, withSecurity } from 'nestjs-resource-server/swagger';

/** The client of Swagger UI, without a secret. The port of a loopback redirect URI is not compared (RFC 8252 §7.3). */
export const DOCS_CLIENT = { id: 'orders-docs', redirectUri: 'http://127.0.0.1/docs/oauth2-redirect.html' };

/**
 * Serves Swagger UI at `/docs`. The page is public, because it only describes the API; the routes that it calls are guarded.
 *
 * @param login for the embedded authorization server. Without it, the user pastes a token.
 */
export function serveDocs(
  app: INestApplication,
  login?: { issuer: string; audience: string; apiUrl: () => string },
): void {
  const config = new DocumentBuilder().setTitle('Orders').setVersion('1').build();
  const document = SwaggerModule.createDocument(app, config);
  if (login === undefined) {
    SwaggerModule.setup('docs', app, withSecurity(document, app, { kind: 'bearer' }));
    return;
  }
  const { issuer, audience, apiUrl } = login;
  const secured = withSecurity(document, app, {
    kind: 'oauth2',
    authorizationUrl: `${issuer}/auth`,
    tokenUrl: `${issuer}/token`,
    scopes: { 'read:orders': 'See orders', 'write:orders': 'Place orders' },
  });
  const button = authorizeButton({
    clientId: DOCS_CLIENT.id,
    uiUrl: () => `${apiUrl()}/docs`,
    scopes: ['read:orders'],
    resource: audience,
  });
  SwaggerModule.setup('docs', app, secured, button);
}
