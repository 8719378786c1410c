import type { INestApplication, Type } from '@nestjs/common';
import { AuthModule, type AuthOptions, CurrentUser, OptionalAuth, Public, RequireScopes } from '../../../src/index.js';
import { ConnectionExpiry } from '../../../src/nest/transports/connection-expiry.js';
import { AUDIENCE, Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';

/** The kinds of handlers that each transport has. Without a class decorator: */
export const PLAIN_DOORS = ['closed', 'scoped', 'public', 'optional'] as const;
/** In a class that requires `read`: */
export const CLASS_DOORS = ['inherits', 'beats', 'merged'] as const;
export type Door = (typeof PLAIN_DOORS)[number] | (typeof CLASS_DOORS)[number];

export interface LongConnection {
  /** What the client was told when it was closed. */
  readonly closed: Promise<string>;
  /** The client goes by itself. */
  readonly leave: () => void;
}

export interface RunningTransport {
  /** `ok alice`, `ok guest`, or the code of the refusal. */
  call(door: Door, token?: string): Promise<string>;
  /** Opens a connection that stays; undefined where a call ends with its answer. */
  readonly open?: (token: string) => Promise<LongConnection>;
  readonly app: INestApplication;
  readonly clock: Clock;
  close(): Promise<void>;
}

export interface TransportDriver {
  readonly name: string;
  start(issuer: LocalIssuer, options?: Partial<AuthOptions>): Promise<RunningTransport>;
}

/** How many connections are going to be closed when their token expires. */
export function watchedBy(app: INestApplication): number {
  return app.get(ConnectionExpiry, { strict: false }).size;
}

export function authModule(issuer: LocalIssuer, clock: Clock, options: Partial<AuthOptions> = {}) {
  const given = { issuer: issuer.url, audience: AUDIENCE, clockToleranceSeconds: 0, clock: clock.read, ...options };
  return AuthModule.forRoot(given as AuthOptions);
}

/** The same handlers for each transport: how one is entered, and how it answers. */
export function plainDoors(enter: (door: string) => MethodDecorator, answer: (text: string) => unknown): Type {
  class PlainDoors {
    @enter('closed')
    closed(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }

    @enter('scoped')
    @RequireScopes('write')
    scoped(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }

    @enter('public')
    @Public()
    public(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }

    @enter('optional')
    @OptionalAuth()
    optional(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }
  }
  return PlainDoors;
}

export function classDoors(enter: (door: string) => MethodDecorator, answer: (text: string) => unknown): Type {
  @RequireScopes('read')
  class ClassDoors {
    @enter('inherits')
    inherits(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }

    @enter('beats')
    @RequireScopes('write')
    beats(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }

    @enter('merged')
    @RequireScopes('write', { merge: true })
    merged(@CurrentUser('sub') sub?: string) {
      return answer(greeting(sub));
    }
  }
  return ClassDoors;
}

export function greeting(sub: string | undefined): string {
  return `ok ${sub ?? 'guest'}`;
}
