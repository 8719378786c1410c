import { defaultResource, type ResolvedResource, type ResolvedResources } from '../../options/resolve-resources.js';

/** The protected resources of the application: those of the options, and those of `@Resource()` below the `publicUrl`. */
export class ResourceDirectory {
  private readonly byPath: Map<string, ResolvedResource>;
  /** Named by a decorator or a middleware. */
  private readonly used = new Set<ResolvedResource>();

  constructor(private readonly given: ResolvedResources) {
    this.byPath = new Map(given.byPath);
  }

  /** The resource of routes that belong to no other. */
  get main(): ResolvedResource | undefined {
    return this.given.main;
  }

  get all(): readonly ResolvedResource[] {
    return [...(this.main === undefined ? [] : [this.main]), ...this.byPath.values()];
  }

  /** Returns the resource that `@Resource(path)` names. Undefined if the options do not say what its identifier is. */
  named(path: string): ResolvedResource | undefined {
    const { publicUrl } = this.given;
    if (!this.byPath.has(path) && publicUrl !== undefined) this.byPath.set(path, defaultResource(publicUrl, path));
    const resource = this.byPath.get(path);
    if (resource !== undefined) this.used.add(resource);
    return resource;
  }

  /** Returns those of the options that no decorator, middleware or route has. */
  unused(ofRoutes: readonly (ResolvedResource | undefined)[]): readonly ResolvedResource[] {
    return [...this.given.byPath.values()].filter(
      (resource) => !this.used.has(resource) && !ofRoutes.includes(resource),
    );
  }

  /**
   * Returns the resource of the options with the longest path that a route is below: `/mcp`, `/mcp/tools`, `/mcp*`, `/mcp{/*path}`.
   * Routers may ignore case.
   */
  ofRoute(pattern: string): ResolvedResource | undefined {
    const route = pattern.toLowerCase();
    const found = [...this.given.byPath.values()].filter(
      ({ path }) => route.startsWith(path.toLowerCase()) && /^(?:$|[/*:{(?])/.test(route.slice(path.length)),
    );
    return found.sort((one, other) => other.path.length - one.path.length)[0];
  }
}
