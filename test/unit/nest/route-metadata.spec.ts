import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { OptionalAuth, Public } from '../../../src/nest/decorators.js';
import {
  type NestRequirement,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/nest/routes/requirement.decorators.js';
import { CalledHandlers } from '../../../src/nest/routes/called-handlers.js';
import { NO_RESOURCES } from '../../../src/options/resolve-resources.js';
import { RouteMetadata, type RouteRules } from '../../../src/nest/routes/route-metadata.js';
import { problemsOf } from '../../support/catching.js';

const API: NestRequirement = { kind: 'scopes', names: ['api'], merge: true, reportOnly: false };

const handlerOf = (controller: new () => object, name: string) =>
  Reflect.get(controller.prototype as object, name) as () => unknown;

const routeMetadata = (require: readonly NestRequirement[] = []) =>
  new RouteMetadata({ require, resources: NO_RESOURCES, realm: undefined }, new CalledHandlers());

function rulesOf(controller: new () => object, name: string, required: readonly NestRequirement[] = []): RouteRules {
  return routeMetadata(required).of(controller, handlerOf(controller, name));
}

/** The requirements, as `handler a b`. */
const requirementsOf = ({ requirements }: RouteRules) =>
  requirements.map(
    ({ requirement, from }) => `${from} ${'names' in requirement ? requirement.names.join(' ') : requirement.kind}`,
  );

class Handlers {
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

@RequireScopes('read', 'list')
class Orders extends Handlers {
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

  @RequireScopes('both')
  @RequireScopes('added', { merge: true })
  added() {
    return undefined;
  }

  @RequireScopes('enforced')
  @RequireScopes('tried', { reportOnly: true })
  trying() {
    return undefined;
  }

  @RequirePolicy(() => true)
  @RequireRoles('admin')
  admin() {
    return undefined;
  }
}

describe('The rules of a route', () => {
  it.each([
    ['handler', ['class read list'], ['read', 'list']],
    ['own', ['handler own'], ['own']],
    ['more', ['class read list', 'handler more'], ['read', 'list', 'more']],
    ['tried', ['class read list', 'handler tried'], ['read', 'list']],
    ['added', ['class read list', 'handler both', 'handler added'], ['read', 'list', 'both', 'added']],
    // Those that are only reported are checked last.
    ['trying', ['handler enforced', 'handler tried'], ['enforced']],
    // Policies are checked last.
    ['admin', ['class read list', 'handler admin', 'handler policy'], ['read', 'list']],
    ['optional', ['class read list'], ['read', 'list']],
    ['open', [], []],
  ])('(%s) have the requirements %j and the scopes %j for the challenge', (name, expected, scopes) => {
    const rules = rulesOf(Orders, name);
    expect([requirementsOf(rules), rules.requiredScopes]).toStrictEqual([expected, scopes]);
    // Those of the module apply as well, except to a public route.
    const withModule = rulesOf(Orders, name, [API]);
    const isPublic = name === 'open';
    expect(requirementsOf(withModule).includes('module api')).toBe(!isPublic);
    expect(withModule.requiredScopes).toStrictEqual(isPublic ? [] : ['api', ...scopes]);
  });

  it('are those of each class that inherits a handler, and read once', () => {
    @RequireScopes('sub')
    class SubOrders extends Orders {}
    const routes = routeMetadata();
    const handler = handlerOf(SubOrders, 'handler');
    expect(requirementsOf(routes.of(Orders, handler))).toEqual(['class read list']);
    expect(requirementsOf(routes.of(SubOrders, handler))).toEqual(['class sub']);
    expect(routes.of(Orders, handler)).toBe(routes.of(Orders, handler));
  });

  it('of a function that replaces an unknown method are an error, unless all methods have the rules of the class', () => {
    const routes = routeMetadata();
    const unknown = Object.defineProperty(() => undefined, 'name', { value: '' });
    expect(problemsOf(() => routes.of(Orders, unknown))).toEqual([
      { path: 'Orders', message: expect.stringContaining('not which one is known') },
    ]);
    expect(requirementsOf(routes.of(Handlers, unknown))).toEqual([]);
  });

  it('cannot combine @Public() with a requirement, even one that is only reported', () => {
    class Contradicting {
      @Public()
      @RequireScopes('read', { reportOnly: true })
      handler() {
        return undefined;
      }
    }
    const problems = [
      { path: 'Contradicting.handler', message: expect.stringContaining('its requirements would never be checked') },
    ];
    expect(problemsOf(() => rulesOf(Contradicting, 'handler'))).toEqual(problems);
    // It is an error each time.
    expect(problemsOf(() => rulesOf(Contradicting, 'handler'))).toHaveLength(1);
  });

  it('cannot combine @Public() and requirements of the class, except where the handler decides', () => {
    @Public()
    @RequireScopes('read')
    class Contradicting extends Handlers {}
    @Public()
    class SubOrders extends Orders {}
    for (const controller of [Contradicting, SubOrders]) {
      expect(problemsOf(() => rulesOf(controller, 'handler'))).toHaveLength(1);
      expect(problemsOf(() => rulesOf(controller, 'open'))).toEqual([]);
      expect(rulesOf(controller, 'optional')).toMatchObject({ access: 'optional', accessFrom: 'handler' });
    }
  });

  it('cannot require something of a handler whose class is public', () => {
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
    expect(problemsOf(() => rulesOf(Open, 'handler'))).toHaveLength(1);
    expect(requirementsOf(rulesOf(Open, 'optional'))).toEqual(['handler read']);
  });
});

describe('The rules of a call of a request-scoped class', () => {
  class Scoped {
    @RequireScopes('admin')
    admin() {
      return undefined;
    }

    @Public()
    open() {
      return undefined;
    }

    closed() {
      return undefined;
    }
  }

  const routes = routeMetadata();
  const route = (transport: 'http' | 'rpc' | 'graphql', kind: string, pattern: string, name: keyof Scoped) => {
    const method = handlerOf(Scoped, name);
    return { transport, kind, pattern, controller: Scoped, name, method, called: undefined };
  };
  routes.register([
    route('http', 'ALL', '/orders', 'admin'),
    route('http', 'GET', '/orders', 'open'),
    route('http', 'GET', '/admin', 'admin'),
    route('http', 'GET', '/open', 'open'),
    route('rpc', 'message', 'secret', 'closed'),
    route('graphql', 'Query', 'open', 'open'),
    route('graphql', 'field', 'Node.open', 'admin'),
  ]);

  const callOf = (type: string, handler: unknown, args: readonly unknown[]) => {
    const context = new ExecutionContextHost([...args], Scoped, handler as () => void);
    context.setType(type);
    return routes.ofCall(context);
  };
  const request = (method: string, path: string) => [{ method, route: { path } }];
  const open = handlerOf(Scoped, 'open');

  it.each<[string, string, unknown, readonly unknown[], string]>([
    [
      'the handler that is called, if several have the path',
      'http',
      handlerOf(Scoped, 'admin'),
      request('GET', '/orders'),
      'admin',
    ],
    ['the handler that is called, if several have the path', 'http', open, request('GET', '/orders'), 'public'],
    ['the route, if the constructor put another handler there', 'http', open, request('HEAD', '/admin'), 'admin'],
    [
      'the route, if the constructor put a function without a name there',
      'http',
      () => undefined,
      request('GET', '/open'),
      'public',
    ],
    [
      'the message, whatever its payload contains',
      'rpc',
      handlerOf(Scoped, 'closed'),
      request('GET', '/open'),
      'closed',
    ],
    [
      'the field of another type',
      'graphql',
      handlerOf(Scoped, 'admin'),
      [{}, {}, {}, { fieldName: 'open', parentType: { name: 'Order' } }],
      'admin',
    ],
    ['the field', 'graphql', open, [{}, {}, {}, { fieldName: 'open', parentType: { name: 'Node' } }], 'admin'],
  ])('are those of %s (%s)', (_what, type, handler, args, expected) => {
    const { access, requirements } = callOf(type, handler, args);
    expect(access ?? (requirements.length > 0 ? 'admin' : 'closed')).toBe(expected);
  });

  it('are an error if handlers with other rules have the path, and none of them is called', () => {
    expect(problemsOf(() => callOf('http', () => undefined, request('GET', '/orders')))).toHaveLength(1);
  });
});
