import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type AuthErrorCode, ConfigurationError } from '../model/errors.js';
import type { VerificationObserver } from '../token/access-token-verifier.js';
import type { KeyHealth } from './key-health.js';
import type { AdmissionEvent, RefusalEvent, AuthEvents } from './auth-events.js';

const NAME = 'nestjs-resource-server';

/** Hands what is decided, and how long that took, to OpenTelemetry (`openTelemetry: true`): the SDK is the application's own. */
export class Telemetry implements OnModuleInit, OnApplicationShutdown, VerificationObserver {
  private readonly logger = new Logger(Telemetry.name);
  private readonly stops: (() => void)[] = [];
  private readonly refused = new WeakSet<object>();
  private verifications: { record(seconds: number, attributes: Record<string, string>): void } | undefined;

  constructor(
    private readonly isOn: boolean,
    private readonly events: AuthEvents,
    private readonly keys: KeyHealth,
    /** A refused token may name any issuer that a resolver trusts: of those, only listed ones are told. */
    private readonly listed: ReadonlySet<string>,
  ) {}

  /** @throws ConfigurationError without `@opentelemetry/api`. */
  async onModuleInit(): Promise<void> {
    if (!this.isOn) return;
    const { metrics, trace } = await loadApi();
    const meter = metrics.getMeter(NAME);
    const requests = meter.createCounter('resource_server.requests', {
      description: 'Calls that the guard decided, by outcome, code and issuer',
      unit: '{request}',
    });
    const duration = meter.createHistogram('resource_server.guard.duration', {
      description: 'What the guard took, with the user, policies and the wait for keys',
      unit: 's',
    });
    this.verifications = meter.createHistogram('resource_server.verification.duration', {
      description: 'What the verification of a token took, with the wait for keys',
      unit: 's',
    });
    const age = meter.createObservableGauge('resource_server.keys.age', {
      description: 'Time since the issuer vouched for the keys that are in service',
      unit: 's',
    });
    const decided = (event: AdmissionEvent | RefusalEvent, code: AuthErrorCode | undefined) => {
      const attributes = this.attributesOf(code, event.issuer, event.transport);
      requests.add(1, attributes);
      duration.record(event.durationMs / 1000, attributes);
      const span = trace.getActiveSpan();
      // A query is decided field by field: what was refused of it is not covered up by what was not.
      if (span === undefined || (code === undefined && this.refused.has(span))) return;
      if (code !== undefined) this.refused.add(span);
      // Not a metric's: there may be any number of clients.
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
    this.stops.push(
      this.events.onAdmission((event) => {
        decided(event, undefined);
      }),
      this.events.onRefusal((event) => {
        decided(event, event.code);
      }),
      () => {
        age.removeCallback(observe);
      },
      () => {
        this.verifications = undefined;
      },
    );
  }

  onApplicationShutdown(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  get isObserving(): boolean {
    return this.verifications !== undefined;
  }

  verified(durationMs: number, issuer: string | undefined, code: AuthErrorCode | undefined): void {
    try {
      this.verifications?.record(durationMs / 1000, this.attributesOf(code, issuer));
    } catch (error) {
      // It decides nothing.
      this.logger.error(error);
    }
  }

  /** Few of each, so that nobody can make new series. */
  private attributesOf(
    code: AuthErrorCode | undefined,
    issuer: string | undefined,
    transport?: string,
  ): Record<string, string> {
    const isTold = issuer !== undefined && (code === undefined || this.listed.has(issuer));
    return {
      'resource_server.outcome': code === undefined ? 'admitted' : 'refused',
      ...(transport !== undefined && { 'resource_server.transport': transport }),
      ...(code !== undefined && { 'resource_server.code': code }),
      ...(isTold && { 'resource_server.issuer': issuer }),
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
