import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { ResolvedResource } from '../../options/resolve-resources.js';
import type { HttpRequest } from '../transports/http.js';
import { listDecorator } from './method-metadata.js';

/** A call that met the requirements of its route. */
export interface AdmittedCall {
  readonly context: ExecutionContext;
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
  readonly user: unknown;
  readonly resource: ResolvedResource | undefined;
}

/** What an entry point of this package, such as `./mcp`, adds to the routes of a class or a handler. */
export interface RouteExtension {
  /** Scopes that some calls need in addition to those of the route. The metadata of the resource have them. */
  readonly scopes: readonly string[];
  /** Returns which of these scopes a call needs. @throws AuthError */
  scopesOf(request: HttpRequest): readonly string[];
  /** As `scopesOf`, before the body is read. What the headers state is compared with the body later, by `scopesOf`. */
  scopesInHeaders?(request: HttpRequest): readonly string[];
  /** Returns scopes that every call needs, for the challenge. */
  requiredScopes?(): readonly string[];
  /** Called for each call that meets all requirements. @throws AuthError, or an exception of Nest */
  admit?(call: AdmittedCall): void;
}

export const EXTENSIONS_KEY = 'nestjs-resource-server:extensions';

/** Adds an extension. Those of the class and of the handler both apply. Responses may be streams, which end with the token. */
export function extensionDecorator(extension: RouteExtension): ClassDecorator & MethodDecorator {
  return listDecorator(EXTENSIONS_KEY, extension);
}
