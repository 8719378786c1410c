import { HttpException, Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';
import { contextOf } from './request-context.js';

/** Node's own response, which Express's is as well; and where Nest's middleware on Fastify gets it. */
interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** What of Fastify's request and reply is used. */
interface FastifyRequest {
  readonly routeOptions?: { readonly url?: string };
}

interface FastifyReply {
  code(status: number): { send(body: unknown): unknown };
  header(name: string, value: string): unknown;
}

type Next = (error?: unknown) => void;

/**
 * Guards what is mounted beside the controllers, where no guard of Nest is asked: Swagger UI, static files, a dashboard
 * of jobs, a proxied path. The same verification and the same answers as `AuthGuard`, and what the `require` option says;
 * the token's user is on `request.user`.
 *
 * - Express: `app.use(['/docs', '/docs-json'], app.get(AuthMiddleware).use)`, before what is mounted there.
 * - Fastify: `app.getHttpAdapter().getInstance().addHook('onRequest', app.get(AuthMiddleware).under('/docs'))`, before
 *   what is mounted there.
 * - Nest's middleware: `consumer.apply(AuthMiddleware).forRoutes('files/*path')`. Which paths that is asked about is decided
 *   by Nest; prefer one of the others on Fastify.
 *
 * For routes of controllers there is `AuthGuard`: it is asked whatever the path looks like.
 */
@Injectable()
export class AuthMiddleware implements NestMiddleware<object, NodeResponse> {
  constructor(@Inject(AuthGuard) private readonly guard: AuthGuard) {}

  /** A property, so that it can be handed on by itself. */
  readonly use = (request: object, response: NodeResponse, next: Next): void => {
    void this.refusalOf(request, response).then((refusal) => {
      if (refusal === undefined) next();
      else if (refusal instanceof HttpException) answer(response, refusal);
      // Of the application's own code: the framework answers it, as it does behind a guard.
      else next(refusal);
    });
  };

  /**
   * An `onRequest` hook for Fastify. It is asked about what Fastify's router found, not about the path as it was sent: so
   * no spelling of a path (`%64ocs`, `/docs/`, `//docs`, HEAD) gets around it.
   *
   * @param prefixes of the routes that it guards, `'/docs'`: that route, and all that begins with `/docs/`. Without any it
   * guards every route that the hook is asked about, those of controllers too.
   */
  under(...prefixes: string[]): (request: object, reply: object) => Promise<void> {
    const guarded = prefixes.map((prefix) => prefix.replace(/\/+$/, ''));
    return async (request, reply) => {
      const url = (request as FastifyRequest).routeOptions?.url;
      // No route: the answer is 404 anyway.
      if (url === undefined) return;
      const isGuarded =
        guarded.length === 0 || guarded.some((prefix) => url === prefix || url.startsWith(`${prefix}/`));
      if (!isGuarded) return;
      const refusal = await this.refusalOf(request, reply);
      if (refusal === undefined) return;
      if (!(refusal instanceof HttpException)) throw refusal as Error;
      (reply as FastifyReply).code(refusal.getStatus()).send(refusal.getResponse());
    };
  }

  /** Undefined when the request may pass. */
  private async refusalOf(request: object, response: object): Promise<unknown> {
    const handler = { controller: AuthMiddleware, method: this.use };
    try {
      const isAdmitted = await this.guard.canActivate(contextOf('http', [request, response], handler));
      return isAdmitted ? undefined : new HttpException('Forbidden', 403);
    } catch (error) {
      return error ?? new Error('A guard threw nothing');
    }
  }
}

/** As Nest's own filter writes it. Not thrown: an error of a middleware is answered by whoever is mounted last. */
function answer(response: NodeResponse, refusal: HttpException): void {
  const body = JSON.stringify(refusal.getResponse());
  response.statusCode = refusal.getStatus();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(body);
}
