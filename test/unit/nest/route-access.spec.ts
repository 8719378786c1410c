import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { OptionalAuth, Public, RequireRoles, RequireScopes } from '../../../src/index.js';
import type { NestRequirement } from '../../../src/nest/routes/requirement.decorators.js';
import { type Route, RouteMetadata } from '../../../src/nest/routes/route-metadata.js';
import { Sse } from '@nestjs/common';
import { problemsOf } from '../../support/catching.js';

const API: NestRequirement = { kind: 'scopes', names: ['api'], merge: true, reportOnly: false };

function routeOf(controller: new () => object, name = 'handler', required: readonly NestRequirement[] = []): Route {
  return new RouteMetadata(required).of(controller, handlerOf(controller, name));
}

function handlerOf(controller: new () => object, name: string): () => unknown {
  return Reflect.get(controller.prototype as object, name) as () => unknown;
}

/** What is required, as `handler a b`. */
const required = ({ requirements }: Route) =>
  requirements.map(({ requirement, from }) => `${from} ${'names' in requirement ? requirement.names.join(' ') : ''}`);

@RequireScopes('read', 'list')
class Orders {
  handler() {
    return undefined;
  }

  @RequireScopes('own')
  own() {
    return undefined;
  }

  @RequireScopes('more', { merge: true })
  more() {
    return undefined;
  }

  @RequireScopes('tried', { reportOnly: true })
  tried() {
    return undefined;
  }

  @RequireRoles('admin')
  admin() {
    return undefined;
  }

  @Public()
  open() {
    return undefined;
  }

  @OptionalAuth()
  optional() {
    return undefined;
  }

  @Sse('events')
  events() {
    return undefined;
  }
}

describe('A route', () => {
  it('without decorators is closed and requires nothing more', () => {
    class Plain {
      handler() {
        return undefined;
      }
    }
    expect(routeOf(Plain)).toStrictEqual({
      access: undefined,
      accessFrom: undefined,
      isEventStream: false,
      requirements: [],
      requiredScopes: [],
    });
  });

  it.each([
    ['handler', ['class read list'], ['read', 'list']],
    ['own', ['handler own'], ['own']],
    ['more', ['class read list', 'handler more'], ['read', 'list', 'more']],
    ['tried', ['class read list', 'handler tried'], ['read', 'list']],
    ['admin', ['class read list', 'handler admin'], ['read', 'list']],
    ['optional', ['class read list'], ['read', 'list']],
    ['open', [], []],
  ])('%s requires %j, and names the scopes %j', (name, expected, scopes) => {
    const route = routeOf(Orders, name);
    expect(required(route)).toStrictEqual(expected);
    expect(route.requiredScopes).toStrictEqual(scopes);
  });

  it('requires what the module requires, too, unless it is public', () => {
    const route = routeOf(Orders, 'own', [API]);
    expect(required(route)).toEqual(['module api', 'handler own']);
    expect(route.requiredScopes).toEqual(['api', 'own']);
    expect(required(routeOf(Orders, 'optional', [API]))).toEqual(['module api', 'class read list']);
    expect(required(routeOf(Orders, 'open', [API]))).toStrictEqual([]);
  });

  it('knows which decorator opened it', () => {
    @OptionalAuth()
    class HalfOpen {
      handler() {
        return undefined;
      }

      @Public()
      open() {
        return undefined;
      }
    }
    expect(routeOf(HalfOpen)).toMatchObject({ access: 'optional', accessFrom: 'class' });
    expect(routeOf(HalfOpen, 'open')).toMatchObject({ access: 'public', accessFrom: 'handler' });
    expect(routeOf(Orders, 'optional')).toMatchObject({ access: 'optional', accessFrom: 'handler' });
  });

  it('knows whether it answers with events', () => {
    expect(routeOf(Orders, 'events').isEventStream).toBe(true);
    expect(routeOf(Orders).isEventStream).toBe(false);
  });

  it('is read once for each class that has the handler, and frozen', () => {
    @RequireScopes('sub')
    class SubOrders extends Orders {}
    const routes = new RouteMetadata([]);
    const handler = handlerOf(Orders, 'handler');
    expect(handlerOf(SubOrders, 'handler')).toBe(handler);
    const route = routes.of(Orders, handler);
    expect(routes.of(Orders, handler)).toBe(route);
    expect(required(route)).toEqual(['class read list']);
    expect(required(routes.of(SubOrders, handler))).toEqual(['class sub']);
    expect(Object.isFrozen(route)).toBe(true);
  });
});

describe('@Public() with a requirement', () => {
  it('on the same handler is a contradiction', () => {
    class Contradicting {
      @Public()
      @RequireScopes('read')
      handler() {
        return undefined;
      }
    }
    const [problem, ...others] = problemsOf(() => routeOf(Contradicting));
    expect(others).toEqual([]);
    expect(problem?.path).toBe('Contradicting.handler');
    expect(problem?.message).toContain('would never be asked');
    expect(problemsOf(() => routeOf(Contradicting))).toHaveLength(1);
  });

  it('that is only reported is one, too', () => {
    class Contradicting {
      @Public()
      @RequireScopes('read', { reportOnly: true })
      handler() {
        return undefined;
      }
    }
    expect(problemsOf(() => routeOf(Contradicting))).toHaveLength(1);
  });

  it('on the same class is one for each handler that it opens', () => {
    @Public()
    @RequireScopes('read')
    class Contradicting {
      handler() {
        return undefined;
      }

      @Public()
      open() {
        return undefined;
      }

      @OptionalAuth()
      optional() {
        return undefined;
      }
    }
    expect(problemsOf(() => routeOf(Contradicting))).toHaveLength(1);
    expect(problemsOf(() => routeOf(Contradicting, 'open'))).toHaveLength(0);
    expect(required(routeOf(Contradicting, 'optional'))).toEqual(['class read']);
  });

  it('on a handler whose class is public is one', () => {
    @Public()
    class Open {
      @RequireScopes('read')
      handler() {
        return undefined;
      }

      @OptionalAuth()
      @RequireScopes('read')
      optional() {
        return undefined;
      }
    }
    expect(problemsOf(() => routeOf(Open))).toHaveLength(1);
    expect(required(routeOf(Open, 'optional'))).toEqual(['handler read']);
  });

  it('on a handler whose class requires something opens it: that is what it says', () => {
    expect(routeOf(Orders, 'open')).toMatchObject({ access: 'public', requirements: [], requiredScopes: [] });
  });

  it('of a base class is one', () => {
    @Public()
    class Sub extends Orders {}
    expect(problemsOf(() => routeOf(Sub))).toHaveLength(1);
  });
});
