import {
  ForbiddenException,
  HttpException,
  Inject,
  Injectable,
  InternalServerErrorException,
  Logger,
  type NestMiddleware,
} from '@nestjs/common';
import { ConfigurationError } from '../model/errors.js';
import { withoutQuery } from '../model/address.js';
import { AuthGuard } from './auth.guard.js';
import { ResourceMetadata } from './resources/resource-metadata.js';
import { extensionDecorator, type RouteExtension } from './routes/route-extension.js';
import { resourceDecorator, RouteMetadata, type RouteRules } from './routes/route-metadata.js';
import { RouteReporter } from './routes/route-reporter.js';
import type { HttpRequest } from './transports/http.js';
import { createContext } from './nest-internals.js';

/** Node's own response, which the response of Express is as well, and what Nest's middleware receives on Fastify. */
interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
  destroy(): unknown;
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
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(RouteReporter) private readonly reporter: RouteReporter,
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
   *
   * In front of a controller with `@McpEndpoint()`, it refuses calls before their body is read: calls without a valid token, and, if the
   * resource has no other endpoint, calls whose headers name a tool whose scopes the token lacks.
   * @throws ConfigurationError if the options do not say what the identifier of the resource is.
   */
  for(path: string): AuthMiddleware['use'] {
    return this.ofResource(path).use;
  }

  /** @internal The middleware of the resource that a route of Fastify belongs to. */
  ofRoute(url: string): AuthMiddleware {
    const path = this.routes.resources.ofRoute(url)?.path;
    return path === undefined ? this : this.ofResource(path);
  }

  private ofResource(path: string): AuthMiddleware {
    let middleware = this.byPath.get(path);
    if (middleware !== undefined) return middleware;
    class ResourceMiddleware extends AuthMiddleware {}
    // For events and logs.
    Object.defineProperty(ResourceMiddleware, 'name', { value: AuthMiddleware.name });
    resourceDecorator(path)(ResourceMiddleware);
    const resource = this.routes.resources.named(path);
    if (resource === undefined)
      throw new ConfigurationError([
        { path: `AuthMiddleware.for("${path}")`, message: 'is not in `resources`; add it, or set `publicUrl`' },
      ]);
    extensionDecorator(new EndpointBehind(() => this.reporter.endpointOf(resource)))(ResourceMiddleware);
    middleware = new ResourceMiddleware(this.guard, this.metadata, this.routes, this.reporter);
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

/** Applies the scopes that the endpoint behind the middleware needs for the headers of a call. Its guard checks the rest. */
class EndpointBehind implements RouteExtension {
  readonly scopes: readonly string[] = [];

  constructor(private readonly endpoint: () => RouteRules | undefined) {}

  requiredScopes(): readonly string[] {
    return this.endpoint()?.requiredScopes ?? [];
  }

  scopesOf(request: HttpRequest): readonly string[] {
    const { extensions = [] } = this.endpoint() ?? {};
    return extensions.flatMap((extension) => extension.scopesInHeaders?.(request) ?? []);
  }
}

function pathOf(request: object): string {
  const { originalUrl, url = '' } = request as { readonly originalUrl?: string; readonly url?: string };
  return withoutQuery(originalUrl ?? url);
}

/** Answers as Nest's own filter does. An error that a middleware throws would be answered by the last mounted handler. */
function answer(response: NodeResponse, refusal: HttpException): void {
  const body = JSON.stringify(refusal.getResponse());
  response.statusCode = refusal.getStatus();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(body);
}
