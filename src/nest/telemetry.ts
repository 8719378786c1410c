import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type AuthErrorCode, ConfigurationError } from '../model/errors.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { VerificationObserver } from '../token/access-token-verifier.js';
import { type AuthEvent, AuthEvents } from './auth-events.js';
import { RESOLVED_OPTIONS } from './auth-options.js';
import { KeyHealth } from './key-health.js';

const NAME = 'nestjs-resource-server';

/** Reports decisions and durations to OpenTelemetry (`openTelemetry: true`). The application sets up the SDK. */
@Injectable()
export class Telemetry implements OnModuleInit, OnApplicationShutdown, VerificationObserver {
  private readonly logger = new Logger(Telemetry.name);
  private stop: () => void = () => undefined;
  private readonly refused = new WeakSet<object>();
  private verifications: { record(seconds: number, attributes: Record<string, string>): void } | undefined;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'openTelemetry' | 'issuers'>,
    @Inject(AuthEvents) private readonly events: AuthEvents,
    @Inject(KeyHealth) private readonly keys: KeyHealth,
  ) {}

  /** @throws ConfigurationError if `@opentelemetry/api` is not installed. */
  async onModuleInit(): Promise<void> {
    if (!this.settings.openTelemetry) return;
    const { metrics, trace } = await loadApi();
    const meter = metrics.getMeter(NAME);
    const requests = meter.createCounter('resource_server.requests', {
      description: 'Calls that the guard decided about, by outcome, code and issuer',
      unit: '{request}',
    });
    const duration = meter.createHistogram('resource_server.guard.duration', {
      description: 'Duration of the guard, including the user option, policies and the wait for keys',
      unit: 's',
    });
    this.verifications = meter.createHistogram('resource_server.verification.duration', {
      description: 'Duration of the verification of a token, including the wait for keys',
      unit: 's',
    });
    const age = meter.createObservableGauge('resource_server.keys.age', {
      description: 'Time since the current keys were fetched from the issuer',
      unit: 's',
    });
    const decided = (event: AuthEvent) => {
      const code = event.outcome === 'refused' ? event.code : undefined;
      const attributes = this.attributesOf(code, event.issuer, event.transport);
      requests.add(1, attributes);
      duration.record(event.durationMs / 1000, attributes);
      const span = trace.getActiveSpan();
      // A GraphQL query has a decision for each field. A later admission must not hide an earlier refusal.
      if (span === undefined || (code === undefined && this.refused.has(span))) return;
      if (code !== undefined) this.refused.add(span);
      // Not attributes of a metric, because the number of clients is unbounded.
      span.setAttributes({
        ...attributes,
        'resource_server.route': event.route,
        'resource_server.client_id': event.clientId,
      });
    };
    const observe = (result: { observe(value: number, attributes: Record<string, string>): void }) => {
      for (const { issuer, ageSeconds, state } of this.keys.issuers())
        if (ageSeconds !== undefined)
          result.observe(ageSeconds, { 'resource_server.issuer': issuer, 'resource_server.keys.state': state });
    };
    age.addCallback(observe);
    const subscription = this.events.subscribe(decided);
    this.stop = () => {
      subscription.unsubscribe();
      age.removeCallback(observe);
      this.verifications = undefined;
    };
  }

  onApplicationShutdown(): void {
    this.stop();
  }

  get isObserving(): boolean {
    return this.verifications !== undefined;
  }

  verified(durationMs: number, issuer: string | undefined, code: AuthErrorCode | undefined): void {
    try {
      this.verifications?.record(durationMs / 1000, this.attributesOf(code, issuer));
    } catch (error) {
      // A failure of telemetry must not change a decision.
      this.logger.error(error);
    }
  }

  /** Only values of small, fixed sets, so that a caller cannot create new time series. */
  private attributesOf(
    code: AuthErrorCode | undefined,
    issuer: string | undefined,
    transport?: string,
  ): Record<string, string> {
    const { issuers } = this.settings;
    // A rejected token can name any tenant of an `issuers` function.
    const isReported =
      code === undefined || (typeof issuers !== 'function' && issuers.some((each) => each.issuer === issuer));
    return {
      'resource_server.outcome': code === undefined ? 'admitted' : 'refused',
      ...(transport !== undefined && { 'resource_server.transport': transport }),
      ...(code !== undefined && { 'resource_server.code': code }),
      ...(issuer !== undefined && isReported && { 'resource_server.issuer': issuer }),
    };
  }
}

async function loadApi() {
  try {
    return await import('@opentelemetry/api');
  } catch (error) {
    const message = `is on, but @opentelemetry/api cannot be loaded (npm install @opentelemetry/api): ${String(error)}`;
    throw new ConfigurationError([{ path: 'openTelemetry', message }]);
  }
}
