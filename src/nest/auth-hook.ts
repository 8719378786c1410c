import { type INestApplicationContext, Logger } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../model/errors.js';
import { AuthGuard } from './auth.guard.js';
import { AuthMiddleware } from './auth.middleware.js';
import { providersOf } from './nest-internals.js';

interface FastifyReply {
  code(status: number): { send(body: unknown): PromiseLike<unknown> };
}

/**
 * Creates an `onRequest` hook for Fastify that guards routes of plugins. Add it before they are registered:
 *
 * ```ts
 * const fastify = app.getHttpAdapter().getInstance();
 * // Swagger UI serves the document at two more paths.
 * fastify.addHook('onRequest', authHook(app, '/docs', '/docs-json', '/docs-yaml'));
 * SwaggerModule.setup('docs', app, document);
 * ```
 *
 * It sees the route that Fastify's router found, not the path as it was sent, so no spelling of the path (`%64ocs`, `/docs/`,
 * `//docs`, HEAD) avoids it. It does not guard what is not a route of Fastify: the 404 response, and what `app.use` mounts.
 *
 * @param prefixes of the guarded routes. `'/docs'` is that route and everything that begins with `/docs/`. Without a prefix every
 * route is guarded, those of controllers as well. Only the prefix `'/'` includes a route `/*`. A prefix without a route is logged
 * as a warning when the application starts.
 * @throws ConfigurationError if a prefix is a pattern, or if several `AuthModule`s have no global guard, so that it is not clear whose
 * options apply.
 */
export function authHook(
  app: INestApplicationContext,
  ...prefixes: string[]
): (request: object, reply: object) => Promise<void> {
  const patterns = prefixes.filter((prefix) => /[*:?(]/.test(prefix));
  const problems = patterns.map((path) => ({
    path: JSON.stringify(path),
    message: 'is a pattern. Write a prefix: "/docs".',
  }));
  if (problems.length > 0) throw new ConfigurationError(problems, 'authHook cannot guard these routes');
  const middleware = middlewareOf(app);
  for (const prefix of prefixes) middleware.ofRoute(prefix);
  warnOfUnused(prefixes, app);
  return async (request, reply) => {
    const url = (request as { routeOptions?: { url?: string } }).routeOptions?.url;
    if (url === undefined) return;
    if (prefixes.length > 0 && !prefixes.some((prefix) => isUnder(url, prefix))) return;
    const refusal = await middleware.ofRoute(url).refusalOf(request, reply);
    if (refusal === undefined) return;
    // Wait until it is sent. Otherwise Fastify continues with the route while an asynchronous `onSend` hook runs.
    await (reply as FastifyReply).code(refusal.getStatus()).send(refusal.getResponse());
  };
}

/** Returns the middleware of the module whose guard is global, or of the only module. */
function middlewareOf(app: INestApplicationContext): AuthMiddleware {
  const found = providersOf(app.get(ModulesContainer), AuthMiddleware);
  if (found.length < 2) return app.get(AuthMiddleware, { strict: false });
  const guards: readonly unknown[] = app.get(ApplicationConfig).getGlobalGuards();
  const [only] = found.filter(([{ providers }]) => guards.includes(providers.get(AuthGuard)?.instance));
  if (only !== undefined) return only[1].instance as AuthMiddleware;
  const message =
    'is imported several times and none has the global guard, so it is not clear whose options apply; ' +
    'inject AuthMiddleware in a module that imports one of them, and call its `refusalOf` in a hook of your own';
  throw new ConfigurationError([{ path: 'AuthModule', message }]);
}

/** The part of a Fastify instance that is used. */
interface Fastify {
  addHook(name: 'onRoute', hook: (route: { readonly url: string }) => void): unknown;
  addHook(name: 'onReady', hook: (done: () => void) => void): unknown;
}

function hasHooks(instance: Partial<Fastify>): instance is Fastify {
  return typeof instance.addHook === 'function';
}

/** A misspelled prefix, or one without the global prefix of the application, would leave its routes open without a word. */
function warnOfUnused(prefixes: readonly string[], app: INestApplicationContext): void {
  const unused = new Set(prefixes);
  const fastify = app.get(HttpAdapterHost).httpAdapter.getInstance<Partial<Fastify>>();
  // Without a prefix every route is guarded. Express has no hooks, so it never calls this one.
  if (unused.size === 0 || !hasHooks(fastify)) return;
  fastify.addHook('onRoute', ({ url }) => {
    for (const prefix of unused) if (isUnder(url, prefix)) unused.delete(prefix);
  });
  fastify.addHook('onReady', (done) => {
    for (const prefix of unused)
      new Logger(AuthMiddleware.name).warn(
        `authHook saw no route under ${JSON.stringify(prefix)} that was added after it. Check the prefix; routes have the global prefix as well.`,
      );
    done();
  });
}

/** Returns whether a route belongs to a prefix; `/docs*` does as well. Ignores case, because a router can be configured to. */
function isUnder(route: string, prefix: string): boolean {
  const start = `/${prefix.replace(/^\/+|\/+$/g, '')}`.toLowerCase();
  if (start === '/') return true;
  const url = route.toLowerCase();
  return url.startsWith(start) && ['', '/', '*', ':'].includes(url.charAt(start.length));
}
