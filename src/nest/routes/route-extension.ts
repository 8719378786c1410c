import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { ResolvedResource } from '../../options/resolve-resources.js';
import { listDecorator } from './method-metadata.js';

/** A call that met the requirements of its route. */
export interface AdmittedCall {
  readonly context: ExecutionContext;
  /** Undefined for a guest. */
  readonly token: VerifiedAccessToken | undefined;
  readonly user: unknown;
  readonly resource: ResolvedResource | undefined;
  readonly requiredScopes: readonly string[];
}

/** What an entry point of this package, such as `./mcp`, adds to the routes of a class or a handler. */
export interface RouteExtension {
  /** Scopes that some calls need in addition to those of the route. The metadata of the resource have them. */
  readonly scopes: readonly string[];
  /** Called for each call that meets all requirements. @throws AuthError, or an exception of Nest */
  admit(call: AdmittedCall): void;
}

export const EXTENSIONS_KEY = 'nestjs-resource-server:extensions';

/** Adds an extension. Those of the class and of the handler both apply. Responses may be streams, which end with the token. */
export function extensionDecorator(extension: RouteExtension): ClassDecorator & MethodDecorator {
  return listDecorator(EXTENSIONS_KEY, extension);
}
