import {
  ForbiddenException,
  HttpException,
  Inject,
  Injectable,
  InternalServerErrorException,
  Logger,
  type NestMiddleware,
} from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';
import { contextOf } from './request-context.js';

/** Node's own response, which Express's is as well; and where Nest's middleware on Fastify gets it. */
interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
  destroy(): unknown;
}

/** What of Fastify's request and reply is used. */
interface FastifyRequest {
  readonly routeOptions?: { readonly url?: string };
}

interface FastifyReply {
  code(status: number): { send(body: unknown): PromiseLike<unknown> };
  header(name: string, value: string): unknown;
}

type Next = (error?: unknown) => void;

/**
 * Guards what is mounted beside the controllers, where no guard of Nest is asked: Swagger UI, static files, a dashboard
 * of jobs, a proxied path. The same verification and the same answers as `AuthGuard`, and what the `require` option says;
 * the token's user is on `request.user`.
 *
 * - Express: `app.use(['/docs', '/docs-json'], app.get(AuthMiddleware).use)`, before what is mounted at the same paths. It is
 *   asked about the path as it was sent: a part of what is mounted further up (`/private` of files that are mounted at `/`) can
 *   be spelled in other ways (`/%70rivate`), which it does not see.
 * - Fastify, routes (of `@fastify/static`, of Swagger UI): `app.getHttpAdapter().getInstance().addHook('onRequest',
 *   app.get(AuthMiddleware).under('/docs'))`, before what is mounted there.
 * - Fastify, what is mounted with `app.use('/docs', …)`, which is no route: `app.use('/docs', app.get(AuthMiddleware).use)`
 *   before it.
 * - Nest's middleware: `consumer.apply(AuthMiddleware).forRoutes('files{/*path}')`, in front of other middleware of
 *   `consumer` and of routes on Fastify. `'files/*path'` leaves `/files` itself open. Nest installs it when the application
 *   starts: what was mounted with `app.use` before that, and on Express every route (Swagger UI), is asked before it,
 *   unguarded. Which spellings of a path it is asked about depends on the version of Nest.
 *
 * For routes of controllers there is `AuthGuard`: it is asked whatever the path looks like.
 */
@Injectable()
export class AuthMiddleware implements NestMiddleware<object, NodeResponse> {
  private readonly logger = new Logger(AuthMiddleware.name);

  constructor(@Inject(AuthGuard) private readonly guard: AuthGuard) {}

  /** A property, so that it can be handed on by itself. Never rejects: not every framework looks at what it returns. */
  readonly use = async (request: object, response: NodeResponse, next: Next): Promise<void> => {
    const refusal = await this.refusalOf(request, response);
    try {
      if (refusal === undefined) next();
      else answer(response, refusal);
    } catch (error) {
      // Of what is mounted behind, where nobody else catches it.
      this.logger.error(error);
      if (response.headersSent) response.destroy();
      else answer(response, new InternalServerErrorException());
    }
  };

  /**
   * An `onRequest` hook for Fastify. It is asked about what Fastify's router found, not about the path as it was sent: so
   * no spelling of a path (`%64ocs`, `/docs/`, `//docs`, HEAD) gets around it. What is no route of Fastify it lets pass:
   * the 404, and what `app.use` mounts.
   *
   * @param prefixes of the routes that it guards, `'/docs'`: that route, and all that begins with `/docs/`. Without any it
   * guards every route that the hook is asked about, those of controllers too. A route `/*` is under none but `'/'`.
   */
  under(...prefixes: string[]): (request: object, reply: object) => Promise<void> {
    return async (request, reply) => {
      const url = (request as FastifyRequest).routeOptions?.url;
      if (url === undefined) return;
      if (prefixes.length > 0 && !prefixes.some((prefix) => isUnder(url, prefix))) return;
      const refusal = await this.refusalOf(request, reply);
      if (refusal === undefined) return;
      // Until it is sent: else Fastify goes on to the route while an asynchronous `onSend` hook is at work.
      await (reply as FastifyReply).code(refusal.getStatus()).send(refusal.getResponse());
    };
  }

  /** Undefined when the request may pass. */
  private async refusalOf(request: object, response: object): Promise<HttpException | undefined> {
    const handler = { controller: AuthMiddleware, method: this.use };
    try {
      const isAdmitted = await this.guard.canActivate(contextOf('http', [request, response], handler));
      return isAdmitted ? undefined : new ForbiddenException();
    } catch (error) {
      if (error instanceof HttpException) return error;
      // Of the application's own code. Not handed on: Fastify would tell the client its message.
      this.logger.error(error);
      return new InternalServerErrorException();
    }
  }
}

/** Whether a route is one of a prefix, `/docs*` too. Without case, which a router may have been told to ignore. */
function isUnder(route: string, prefix: string): boolean {
  const start = `/${prefix.replace(/^\/+|\/+$/g, '')}`.toLowerCase();
  if (start === '/') return true;
  const url = route.toLowerCase();
  return url.startsWith(start) && ['', '/', '*', ':'].includes(url.charAt(start.length));
}

/** As Nest's own filter writes it. Not thrown: an error of a middleware is answered by whoever is mounted last. */
function answer(response: NodeResponse, refusal: HttpException): void {
  const body = JSON.stringify(refusal.getResponse());
  response.statusCode = refusal.getStatus();
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(body);
}
