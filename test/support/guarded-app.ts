import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { AuthModule, type AuthOptions, type IssuerKeyHealth, KeyHealth, type KeysOptions } from '../../src/index.js';
import { type Answer, bearer, call, type Platform, startApp } from './app.js';
import { AUDIENCE, type LocalIssuer, type TestKey } from './local-issuer.js';
import { OrdersController } from './orders.js';

export const POLICY = { refreshSeconds: 600, maxStaleSeconds: 3_600, unknownKidCooldownSeconds: 30 };

/** Milliseconds since 1970, moved by hand. */
export class Clock {
  private now = Date.now();
  readonly read = (): number => this.now;

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }
}

export interface GuardedApp {
  readonly clock: Clock;
  readonly url: string;
  ask(token: string): Promise<Answer>;
  /** The status, with the code of a refusal. */
  outcome(token: string): Promise<string>;
  health(): readonly IssuerKeyHealth[];
  get<T>(type: new (...parameters: never[]) => T): T;
  close(): Promise<void>;
}

interface GuardedAppOptions {
  readonly platform?: Platform;
  readonly clock?: Clock;
  /** Instead of those of the `POLICY`. */
  readonly keys?: Partial<KeysOptions>;
  readonly options?: Partial<AuthOptions>;
  readonly imports?: ModuleMetadata['imports'];
  readonly controllers?: ModuleMetadata['controllers'];
  readonly logger?: LoggerService;
}

/** The orders API, guarded, with an issuer that may get into trouble; or with a list of issuers, or a resolver. */
export async function startGuarded(
  issuer: string | AuthOptions['issuers'],
  given: GuardedAppOptions = {},
): Promise<GuardedApp> {
  const { platform = 'express', clock = new Clock(), keys, options, imports = [], controllers = [], logger } = given;
  const issuers =
    typeof issuer === 'string'
      ? { issuer, audience: AUDIENCE, keys: { from: 'discovery', ...POLICY, ...keys } }
      : { issuers: issuer };
  const metadata = {
    imports: [AuthModule.forRoot({ ...issuers, clock: clock.read, ...options } as AuthOptions), ...imports],
    controllers: [OrdersController, ...controllers],
  };
  const { app, url, close } = await startApp(platform, metadata, { logger });
  const ask = (token: string) => call(`${url}/orders`, bearer(token));
  return {
    clock,
    url,
    ask,
    outcome: async (token) => {
      const { status, body } = await ask(token);
      return typeof body.code === 'string' ? `${String(status)} ${body.code}` : String(status);
    },
    health: () => app.get(KeyHealth).issuers(),
    get: (type) => app.get(type),
    close,
  };
}

/** A token that outlives every outage. */
export function lastingToken(issuer: LocalIssuer, key: TestKey, overrides: Record<string, unknown> = {}): string {
  return issuer.token(key, 'ES256', { exp: Math.floor(Date.now() / 1000) + 10_000_000, ...overrides });
}
