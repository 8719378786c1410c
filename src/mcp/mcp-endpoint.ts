import type { Type } from '@nestjs/common';
import { ConfigurationError } from '../model/errors.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { problemOfNames } from '../model/requirement.js';
import { ownMembers } from '../model/unknown-value.js';
import { resourceDecorator } from '../nest/routes/route-metadata.js';
import { type AdmittedCall, extensionDecorator, type RouteExtension } from '../nest/routes/route-extension.js';
import type { HttpRequest } from '../nest/transports/http.js';
import { authInfoOf } from './auth-info.js';
import { calledTools, isBodyRead, statedTools } from './mcp-request.js';
import { SessionOwners } from './session-owners.js';

export interface McpEndpointOptions {
  /** The path of the resource, as in `@Resource()`. Default: the resource to which the route belongs. */
  readonly resource?: string;
  /**
   * The scopes that the call of a tool needs in addition to those of the route, by the name of the tool. Requires the body of the request
   * to be parsed, as Nest does by default. Default: none.
   */
  readonly tools?: Readonly<Record<string, readonly string[]>>;
}

/**
 * For the controller, or the handler, that serves the Model Context Protocol over streamable HTTP:
 *
 * - The SDKs receive who calls, as `AuthInfo` ({@link McpAuthInfo}), from `request.auth`. It has no token.
 * - A call of a tool whose scopes the token lacks is refused with 403 SCOPE_INSUFFICIENT and all scopes of the tool in the challenge,
 *   so that the client requests them (step-up).
 * - Headers that name another method or tool than the body are refused (400 MCP_REQUEST_INVALID).
 * - A session belongs to the caller that opened it; for others it does not exist (404). An open stream ends with its token.
 * - `@rekog/mcp-nest` finds the address of the metadata for its `stepUpAuthorization`, and in `request.user` the scopes and roles of the
 *   token, also implied ones, unless the option `user` returns another user.
 *
 * @throws ConfigurationError for scopes that are not valid, and an unknown option.
 */
export function McpEndpoint(options: McpEndpointOptions = {}): ClassDecorator & MethodDecorator {
  const { resource, tools = {} } = ownMembers(options);
  const problems = Object.entries(tools).flatMap(([tool, scopes]) => {
    const message = Array.isArray(scopes) ? problemOfNames('scopes', scopes) : 'is not a list of scopes. Write a list.';
    return message === undefined ? [] : [{ path: `@McpEndpoint().tools.${tool}`, message }];
  });
  for (const name of Object.keys(options).filter((each) => !['resource', 'tools'].includes(each)))
    problems.push({ path: `@McpEndpoint().${name}`, message: 'is unknown. Use resource or tools.' });
  if (problems.length > 0) throw new ConfigurationError(problems);
  const decorators = [extensionDecorator(new McpExtension(new Map(Object.entries(tools))))];
  if (resource !== undefined) decorators.push(resourceDecorator(resource));
  return ((...target: Parameters<MethodDecorator>) => {
    for (const decorate of decorators) decorate(...target);
  }) as ClassDecorator & MethodDecorator;
}

/** The property in which `@rekog/mcp-nest` looks for the address of the metadata. */
const METADATA_URL = Symbol.for('@rekog/mcp-nest:resource-metadata-url');

/** The sessions of each controller, whose handlers may be decorated separately. */
const owners = new WeakMap<Type, SessionOwners>();

function sessionsOf(controller: Type): SessionOwners {
  let sessions = owners.get(controller);
  if (sessions === undefined) owners.set(controller, (sessions = new SessionOwners()));
  return sessions;
}

class McpExtension implements RouteExtension {
  readonly scopes: readonly string[];

  constructor(private readonly tools: ReadonlyMap<string, readonly string[]>) {
    this.scopes = [...tools.values()].flat();
  }

  scopesOf(request: HttpRequest): readonly string[] {
    // Without a table, a handler may parse the body itself, and the SDK compares it with the headers.
    const isNeeded = this.tools.size > 0 || isBodyRead(request);
    return this.scopesOfTools(isNeeded ? calledTools(request) : []);
  }

  scopesInHeaders(request: HttpRequest): readonly string[] {
    return this.scopesOfTools(statedTools(request));
  }

  admit({ context, token, user, resource }: AdmittedCall): void {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const session = request.headers['mcp-session-id'];
    const sessions = sessionsOf(context.getClass());
    if (session !== undefined) sessions.check(session, token?.claims);
    if (token === undefined) return;
    const response = context.switchToHttp().getResponse<{ readonly raw?: unknown }>();
    if (session === undefined) sessions.watch((response.raw ?? response) as never, token.claims);
    const facts = {
      auth: authInfoOf(token, resource, user),
      user: userOf(user, token),
      [METADATA_URL]: resource?.metadataUrl,
    };
    Object.assign(request, facts);
    // On Fastify, the SDKs and `@rekog/mcp-nest` receive the request of Node.
    if (request.raw !== undefined) Object.assign(request.raw, facts);
  }

  private scopesOfTools(tools: readonly string[]): readonly string[] {
    return tools.flatMap((tool) => this.tools.get(tool) ?? []);
  }
}

/** `@rekog/mcp-nest` reads `scope` and `roles` of the user. A user that the application returned is left as it is. */
function userOf(user: unknown, { claims, scopes, roles }: VerifiedAccessToken): unknown {
  if (user !== claims) return user;
  // It reads `scopes` if `scope` is empty.
  const own = { ...claims, scope: scopes.join(' '), scopes, roles };
  return Object.freeze(Object.assign(Object.create(Object.getPrototypeOf(claims) as object | null) as object, own));
}
