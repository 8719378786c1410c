import { LegacyRouteConverter } from '@nestjs/core/router/legacy-route-converter.js';
import type { Door } from '../nest/routes/route-reporter.js';

/**
 * Finds the handlers that answer to an operation of a document, by path and verb. Not by `operationId`, which applications
 * change as they like.
 */
export class DocumentedHandlers {
  private readonly byPath = new Map<string, Door[]>();

  /**
   * @param paths all that the document has: whether it leaves the global prefix out (`ignoreGlobalPrefix`, `servers`) is seen
   * by whether any path has it.
   */
  constructor(doors: readonly Door[], paths: readonly string[], globalPrefix: string) {
    const prefix = globalPrefix === '' ? '' : pathOf(`/${globalPrefix.replace(/^\/+|\/+$/g, '')}`);
    const isLeftOut = prefix !== '' && !paths.some((path) => isUnder(path, prefix));
    for (const door of doors) {
      if (door.handler.transport !== 'http') continue;
      const path = pathOf(door.handler.pattern);
      this.add(path, door);
      if (isLeftOut && isUnder(path, prefix)) this.add(path.slice(prefix.length) || '/', door);
    }
  }

  /** Several where the version (in a header) or the host decides; which of them is documented cannot be seen. */
  of(path: string, verb: string): readonly Door[] {
    const found = this.byPath.get(path) ?? [];
    return found.filter(({ handler: { kind } }) => kind === 'ALL' || kind.toLowerCase() === verb.toLowerCase());
  }

  private add(path: string, door: Door): void {
    const others = this.byPath.get(path);
    if (others === undefined) this.byPath.set(path, [door]);
    else others.push(door);
  }
}

function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

// A quoted or plain name after `:` or `*`; an escaped character; the braces of what is optional.
const PART = /[:*](?:"((?:\\.|[^"\\])+)"|([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*))|\\(.)|[{}]/gu;

/** The path as Swagger writes that of a route: `/files/{name}` for `/files/:name`, `/files{/*name}`. */
export function pathOf(pattern: string): string {
  const current = LegacyRouteConverter.tryConvert(pattern, { logs: false })
    .replace(/::|\[:\]/g, '\\:')
    // Fastify's expressions, `:version(^v[0-9]+)`.
    .replace(/\(\^[^)]+\)/g, '');
  return current.replace(PART, (_match, quoted?: string, plain?: string, escaped?: string) => {
    const name = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    return name === undefined ? (escaped ?? '') : `{${name}}`;
  });
}
