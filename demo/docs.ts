import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { authorizeButton, withSecurity } from 'nestjs-resource-server/swagger';

/** Of Swagger UI, which has no secret. Whatever the port: on loopback it does not count (RFC 8252 §7.3). */
export const DOCS_CLIENT = { id: 'orders-docs', redirectUri: 'http://127.0.0.1/docs/oauth2-redirect.html' };

/**
 * Swagger UI at `/docs`: open, as a page that tells nothing but the API's shape may be; what it calls is guarded.
 *
 * @param login the embedded authorization server; without it a token is pasted in.
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
