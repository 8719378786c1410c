import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { METADATA_PATH, type ResolvedResource } from '../../options/resolve-resources.js';
import { decodeCompact } from '../../token/jwt/compact.js';
import { withoutOfflineAccess } from '../../token/challenge.js';
import { withoutQuery, withoutTrailingSlashes } from '../../model/address.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { RouteMetadata } from '../routes/route-metadata.js';
import { RouteReporter } from '../routes/route-reporter.js';

/** How long clients may keep the metadata (RFC 9728 §7.10). */
const MAX_AGE_SECONDS = 3_600;
/** How long a signature is used again. */
const SIGNED_MS = 60_000;

/** Express or Fastify: what Nest passes to a handler that is registered with its adapter. */
interface MetadataRequest {
  readonly originalUrl?: string | undefined;
  readonly url: string;
}
interface MetadataReply {
  /** Fastify. */
  callNotFound?(): unknown;
}

const SERVED = Symbol('nestjs-resource-server:resources');

interface Adapter extends AbstractHttpAdapter {
  /** The modules whose resources the adapter serves. Fastify allows only one handler for each path. */
  [SERVED]?: ResourceMetadata[];
}

type Metadata = Readonly<Record<string, unknown>>;

/**
 * Serves the metadata of the protected resources (RFC 9728 §3) at the well-known paths, whatever the global prefix and the versions
 * of the application are, and before its middleware. They are public.
 */
@Injectable()
export class ResourceMetadata implements OnModuleInit {
  private readonly logger = new Logger('AuthModule');
  private readonly unsigned = new Map<ResolvedResource, Metadata>();
  private readonly signed = new Map<ResolvedResource, { readonly at: number; readonly metadata: Promise<Metadata> }>();

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(RouteReporter) private readonly reporter: RouteReporter,
    @Inject(RESOLVED_OPTIONS)
    private readonly settings: Pick<ResolvedOptions, 'issuers' | 'tokenFrom' | 'resources' | 'clock'>,
  ) {
    if (!this.hasResources) return;
    const { httpAdapter, init$ } = host as Partial<HttpAdapterHost<AbstractHttpAdapter>>;
    // Before the routes and the middleware of the application. A test sets the adapter after it has created the providers.
    if (httpAdapter) this.serve(httpAdapter);
    else
      init$?.subscribe(() => {
        this.serve(host.httpAdapter);
      });
  }

  /** The first versions of Nest 11 do not say when a test sets the adapter. Without HTTP, there is none. */
  onModuleInit(): void {
    const adapter = this.host.httpAdapter as Adapter | null | undefined;
    if (adapter && this.hasResources && adapter[SERVED]?.includes(this) !== true) this.serve(adapter);
  }

  private get hasResources(): boolean {
    const { publicUrl, main, byPath } = this.settings.resources;
    return publicUrl !== undefined || main !== undefined || byPath.size > 0;
  }

  /** Returns the metadata without a signature (RFC 9728 §2). Members without a value are absent. */
  of(resource: ResolvedResource): Metadata {
    let metadata = this.unsigned.get(resource);
    if (metadata === undefined) this.unsigned.set(resource, (metadata = this.create(resource)));
    return metadata;
  }

  /** Returns whether a request is for metadata. They must be readable without a token. */
  isFor(request: object): boolean {
    const { originalUrl, url, method = '' } = request as Partial<MetadataRequest> & { readonly method?: string };
    return (
      ['GET', 'HEAD', 'OPTIONS'].includes(method) &&
      this.resourceAt(pathOf({ originalUrl, url: url ?? '' })) !== undefined
    );
  }

  private create(resource: ResolvedResource): Metadata {
    const { issuers, tokenFrom } = this.settings;
    const routes = this.reporter.routesIn(resource);
    const requirements = routes.flatMap(({ rules }) => rules.requirements.map(({ requirement }) => requirement));
    const scopes = withoutOfflineAccess([
      ...routes.flatMap(({ rules }) => [...rules.requiredScopes, ...rules.extensions.flatMap(({ scopes }) => scopes)]),
      ...resource.scopes,
    ]);
    const listed = typeof issuers === 'function' ? [] : issuers;
    const methods = tokenFrom.map((place) => (typeof place === 'function' ? undefined : BEARER_METHODS[place.from]));
    return present({
      resource: resource.identifier,
      authorization_servers: resource.authorizationServers ?? listed.flatMap(({ names }) => names.slice(0, 1)),
      scopes_supported: [...scopes, ...this.includingScopes(scopes)],
      bearer_methods_supported: methods.filter((method) => method !== undefined),
      authorization_details_types_supported: requirements.flatMap((each) =>
        each.kind === 'authorizationDetails' ? each.type : [],
      ),
      resource_name: resource.name,
      resource_documentation: resource.documentation,
      resource_policy_uri: resource.policyUri,
      resource_tos_uri: resource.tosUri,
    });
  }

  /** Returns the scopes that include one of these: a client may request them instead. */
  private includingScopes(scopes: readonly string[]): readonly string[] {
    const { issuers } = this.settings;
    const tables = typeof issuers === 'function' ? [] : issuers.map(({ scopeImplications }) => scopeImplications);
    return tables.flatMap((table) => {
      if (typeof table === 'function') return [];
      return [...table]
        .filter(([, included]) => included.some((scope) => scopes.includes(scope)))
        .map(([scope]) => scope);
    });
  }

  private serve(adapter: Adapter): void {
    const modules = (adapter[SERVED] ??= []);
    modules.push(this);
    if (modules.length > 1) return;
    const rest = adapter.getType() === 'fastify' ? '/*' : '/*path';
    for (const path of [METADATA_PATH, METADATA_PATH + rest]) {
      adapter.get(path, (request: MetadataRequest, response: MetadataReply, next?: unknown) => {
        const module = modules.find((each) => each.resourceAt(pathOf(request)) !== undefined) ?? this;
        module.answer(adapter, request, response, next as (() => void) | undefined).catch((error: unknown) => {
          this.logger.error(error);
        });
      });
      // Clients in browsers send headers that need a preflight, such as `MCP-Protocol-Version`.
      adapter.options(path, (_request: MetadataRequest, response: MetadataReply) => {
        const headers = { 'Access-Control-Allow-Methods': 'GET', 'Access-Control-Allow-Headers': '*' };
        this.reply(adapter, response, 204, { ...headers, 'Access-Control-Max-Age': '86400' });
      });
    }
  }

  private async answer(
    adapter: AbstractHttpAdapter,
    request: MetadataRequest,
    response: MetadataReply,
    next: (() => void) | undefined,
  ): Promise<void> {
    const resource = this.resourceAt(pathOf(request));
    if (resource === undefined) {
      if (response.callNotFound === undefined) next?.();
      else response.callNotFound();
      return;
    }
    const metadata = await this.signedOf(resource).catch((error: unknown) => {
      this.logger.error(error);
    });
    if (metadata === undefined)
      this.reply(adapter, response, 503, { 'Retry-After': '5' }, { statusCode: 503, message: 'Service Unavailable' });
    else
      this.reply(adapter, response, 200, { 'Cache-Control': `public, max-age=${String(MAX_AGE_SECONDS)}` }, metadata);
  }

  private reply(
    adapter: AbstractHttpAdapter,
    response: object,
    status: number,
    headers: Readonly<Record<string, string>>,
    body?: object,
  ): void {
    for (const [name, value] of Object.entries({ 'Access-Control-Allow-Origin': '*', ...headers }))
      adapter.setHeader(response, name, value);
    adapter.reply(response, body, status);
  }

  private resourceAt(path: string): ResolvedResource | undefined {
    const { resources } = this.routes;
    const found = resources.all.find(({ metadataUrl }) => new URL(metadataUrl).pathname === path);
    return found ?? (path === METADATA_PATH ? resources.main : undefined);
  }

  private signedOf(resource: ResolvedResource): Promise<Metadata> {
    const metadata = this.of(resource);
    const { signedMetadata } = resource;
    if (signedMetadata === undefined) return Promise.resolve(metadata);
    const now = this.settings.clock();
    const last = this.signed.get(resource);
    if (last !== undefined && now - last.at < SIGNED_MS) return last.metadata;
    const signed = Promise.resolve(metadata)
      .then(signedMetadata)
      .then((jwt) => {
        if (!hasIssuer(jwt)) throw new TypeError('`signedMetadata` did not return a JWT with `iss`');
        return { ...metadata, signed_metadata: jwt };
      });
    this.signed.set(resource, { at: now, metadata: signed });
    // The next request tries again.
    signed.catch(() => this.signed.delete(resource));
    return signed;
  }
}

function pathOf({ originalUrl, url }: MetadataRequest): string {
  return withoutTrailingSlashes(withoutQuery(originalUrl ?? url));
}

/** RFC 9728 §2.2. Whether clients trust the key is theirs to decide. */
function hasIssuer(jwt: unknown): boolean {
  return typeof decodeCompact(jwt as string).claims.iss === 'string';
}

/** RFC 9728 §2: the values of `bearer_methods_supported`. It has none for cookies and headers of their own. */
const BEARER_METHODS: Readonly<Partial<Record<string, string>>> = {
  'bearer-header': 'header',
  'form-body': 'body',
  query: 'query',
};

/** RFC 9728 §3.2: members without a value, and empty lists, are omitted. Lists have each value once. */
function present(members: Metadata): Metadata {
  const entries = Object.entries(members).map(([name, value]) => [
    name,
    Array.isArray(value) ? [...new Set(value as unknown[])] : value,
  ]);
  return Object.freeze(
    Object.fromEntries(
      entries.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
    ),
  ) as Metadata;
}
