import {
  ForbiddenException,
  HttpException,
  type INestApplicationContext,
  Inject,
  Injectable,
  InternalServerErrorException,
  Logger,
  type NestMiddleware,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../model/errors.js';
import { withoutQuery } from '../model/address.js';
import { AuthGuard } from './auth.guard.js';
import { ResourceMetadata } from './resources/resource-metadata.js';
import { resourceDecorator } from './routes/route-metadata.js';
import { createContext, providersOf } from './nest-internals.js';

/** Node's own response, which the response of Express is as well, and what Nest's middleware receives on Fastify. */
interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
  destroy(): unknown;
}

interface FastifyReply {
  code(status: number): { send(body: unknown): PromiseLike<unknown> };
}

type Next = (error?: unknown) => void;

/**
 * Guards what is mounted beside the controllers, for which Nest calls no guard: Swagger UI, static files, a dashboard, a
 * proxied path. Verification and responses are those of `AuthGuard`, the `require` option applies, and the user is on
 * `request.user`.
 *
 * ```ts
 * // Swagger UI serves the document at two more paths.
 * app.use(['/docs', '/docs-json', '/docs-yaml'], app.get(AuthMiddleware).use);
 * SwaggerModule.setup('docs', app, document);
 * ```
 *
 * - Express: `app.use` as above, before what is mounted at the same paths. It sees the path as it was sent, so a part of a larger mount
 *   (`/private` of files that are mounted at `/`) can be spelled in other ways (`/%70rivate`) that it does not match.
 * - Fastify, routes of plugins (`@fastify/static`, Swagger UI): {@link authHook}.
 * - Fastify, `app.use('/docs', …)`, which is not a route: `app.use('/docs', app.get(AuthMiddleware).use)` before it.
 * - Nest's middleware: `consumer.apply(AuthMiddleware).forRoutes('files{/*path}')`, before other middleware of `consumer` and routes of
 *   Fastify. `'files/*path'` leaves `/files` itself open. Nest installs it when the application starts, after everything that was
 *   mounted with `app.use` before, and on Express after every route such as Swagger UI; those stay unguarded. Which
 *   spellings of a path it matches depends on the version of Nest.
 *
 * What is mounted at the path of a protected resource needs `for(path)` instead of `use`, so that no spelling of the path avoids its audience.
 *
 * For routes of controllers use `AuthGuard`, which does not depend on the path.
 */
@Injectable()
export class AuthMiddleware implements NestMiddleware<object, NodeResponse> {
  private readonly logger = new Logger(AuthMiddleware.name);
  private readonly byPath = new Map<string, AuthMiddleware>();

  constructor(
    @Inject(AuthGuard) private readonly guard: AuthGuard,
    @Inject(ResourceMetadata) private readonly metadata: ResourceMetadata,
  ) {}

  /** A property, so that it can be passed on without its instance. Never rejects, because not every framework handles a rejection. */
  readonly use = async (request: object, response: NodeResponse, next: Next): Promise<void> => {
    const refusal = await this.refusalOf(request, response);
    try {
      if (refusal === undefined) next();
      else answer(response, refusal);
    } catch (error) {
      // An error of what is mounted behind, which has no other handler.
      this.logger.error(error);
      if (response.headersSent) response.destroy();
      else answer(response, new InternalServerErrorException());
    }
  };

  /**
   * Returns the middleware for what is mounted at the path of a protected resource, whose audience a token then needs:
   * `app.use('/mcp', app.get(AuthMiddleware).for('/mcp'), server)`. For Fastify, {@link authHook} does the same for its prefixes.
   * @throws ConfigurationError if the options do not say what the identifier of the resource is.
   */
  for(path: string): AuthMiddleware['use'] {
    return this.ofResource(path).use;
  }

  /** @internal The middleware of the resource that a route of Fastify belongs to. */
  ofRoute(url: string): AuthMiddleware {
    const path = this.metadata.resourceOfRoute(url)?.path;
    return path === undefined ? this : this.ofResource(path);
  }

  private ofResource(path: string): AuthMiddleware {
    let middleware = this.byPath.get(path);
    if (middleware !== undefined) return middleware;
    class ResourceMiddleware extends AuthMiddleware {}
    resourceDecorator(path)(ResourceMiddleware);
    if (!this.metadata.has(path))
      throw new ConfigurationError([
        { path: `AuthMiddleware.for("${path}")`, message: 'is not in `resources`; add it, or set `publicUrl`' },
      ]);
    middleware = new ResourceMiddleware(this.guard, this.metadata);
    this.byPath.set(path, middleware);
    return middleware;
  }

  /** Returns the error to answer with, or undefined if the request is admitted. */
  async refusalOf(request: object, response: object): Promise<HttpException | undefined> {
    if (this.metadata.isFor(request)) return undefined;
    // Without `for`, the path of the request decides. A path that is spelled in another way then needs the audience of the API.
    const owner = this.constructor === AuthMiddleware ? this.ofRoute(pathOf(request)) : this;
    const handler = { controller: owner.constructor as typeof AuthMiddleware, method: owner.use };
    try {
      const isAdmitted = await this.guard.canActivate(createContext('http', [request, response], handler));
      return isAdmitted ? undefined : new ForbiddenException();
    } catch (error) {
      if (error instanceof HttpException) return error;
      // An error of the application's own code. Fastify would send its message to the client.
      this.logger.error(error);
      return new InternalServerErrorException();
    }
  }
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

function pathOf(request: object): string {
  const { originalUrl, url = '' } = request as { readonly originalUrl?: string; readonly url?: string };
  return withoutQuery(originalUrl ?? url);
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

/** Answers as Nest's own filter does. An error that a middleware throws would be answered by the last mounted handler. */
function answer(response: NodeResponse, refusal: HttpException): void {
  const body = JSON.stringify(refusal.getResponse());
  response.statusCode = refusal.getStatus();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(body);
}
