import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Meter, metrics, type Span, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { AuthEvents } from '../../src/index.js';
import { bearer, closeApps } from '../support/app.js';
import { AUDIENCE } from '../support/local-issuer.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { startOrders } from '../support/orders-app.js';
import { graphqlQueryDriver } from '../support/transports/graphql.js';

const { issuer, tokenOf: token } = issuerWithTokens();

afterEach(closeApps);

describe('Metrics', () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });

  beforeAll(() => {
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  });

  afterAll(async () => {
    await reader.shutdown();
    metrics.disable();
  });

  /** The data points of one metric, and its unit. Attributes are without their common prefix. */
  const collect = async (name: string) => {
    exporter.reset();
    await reader.forceFlush();
    const collected = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .find(({ descriptor }) => descriptor.name === name);
    const points = (collected?.dataPoints ?? []).map(({ attributes, value }) => ({
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key_, attribute]) => [key_.replace('resource_server.', ''), attribute]),
      ),
      value,
    }));
    return { unit: collected?.descriptor.unit, points };
  };

  it('count calls by outcome, code and issuer, and measure durations and the age of keys', async () => {
    const { ask } = await startOrders(issuer, { openTelemetry: true });
    await ask(bearer(token({ client_id: 'web' })));
    await ask();
    await ask();
    await ask(bearer(token({ iss: 'https://evil.test' })));
    await ask(bearer(token({ exp: 1 })));
    const http = { transport: 'http' };
    const ours = { issuer: issuer.url };
    const requests = await collect('resource_server.requests');
    expect(requests.points).toEqual([
      { attributes: { outcome: 'admitted', ...http, ...ours }, value: 1 },
      { attributes: { outcome: 'refused', ...http, code: 'TOKEN_MISSING' }, value: 2 },
      { attributes: { outcome: 'refused', ...http, code: 'ISSUER_UNTRUSTED' }, value: 1 },
      { attributes: { outcome: 'refused', ...http, code: 'TOKEN_EXPIRED', ...ours }, value: 1 },
    ]);
    const guard = await collect('resource_server.guard.duration');
    expect([guard.unit, guard.points.length]).toEqual(['s', 4]);
    // Only what was sent is verified.
    const verifications = await collect('resource_server.verification.duration');
    expect(verifications.points.map(({ attributes }) => attributes)).toEqual([
      { outcome: 'admitted', ...ours },
      { outcome: 'refused', code: 'ISSUER_UNTRUSTED' },
      { outcome: 'refused', code: 'TOKEN_EXPIRED', ...ours },
    ]);
    for (const { value } of [...guard.points, ...verifications.points]) {
      const { sum = NaN } = value as { sum?: number };
      // Milliseconds would be more.
      expect(sum > 0 && sum < 1).toBe(true);
    }
    const age = await collect('resource_server.keys.age');
    expect(age.points[0]?.attributes).toEqual({ ...ours, 'keys.state': 'fresh' });
  });

  it('never name an issuer that a rejected token invents, if a function trusts many', async () => {
    const keys = { from: 'jwks', uri: `${issuer.url}/jwks` } as const;
    const { ask } = await startOrders(issuer, {
      openTelemetry: true,
      issuer: undefined,
      audience: undefined,
      issuers: (name: string) => ({ issuer: name, audience: AUDIENCE, keys }),
    });
    await ask(bearer(token({ iss: 'https://invented.test', exp: 1 })));
    const { points } = await collect('resource_server.requests');
    expect(points.map(({ attributes }) => attributes.issuer)).not.toContain('https://invented.test');
  });

  it('that fail change no decision', async () => {
    const record = () => {
      throw new Error('the meter is broken');
    };
    const meter = metrics.getMeter('test');
    const getMeter = jest.spyOn(metrics, 'getMeter').mockReturnValue({
      createCounter: meter.createCounter.bind(meter),
      createObservableGauge: meter.createObservableGauge.bind(meter),
      createHistogram: () => ({ record }),
    } as unknown as Meter);
    const { ask } = await startOrders(issuer, { openTelemetry: true });
    getMeter.mockRestore();
    expect((await ask(bearer(token()))).status).toBe(200);
    expect((await ask(bearer(token({ exp: 1 })))).status).toBe(401);
  });

  it('stop when the application is closed, and never start without the option', async () => {
    const { app } = await startOrders(issuer, { openTelemetry: true });
    const events = app.get(AuthEvents);
    expect(events.isObserved).toBe(true);
    await closeApps();
    expect(events.isObserved).toBe(false);
    const { app: other } = await startOrders(issuer);
    expect(other.get(AuthEvents).isObserved).toBe(false);
  });
});

describe('The active span', () => {
  const attributesAfter = async (send: () => Promise<void>) => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const span: Span = provider.getTracer('test').startSpan('request');
    const active = jest.spyOn(trace, 'getActiveSpan').mockReturnValue(span);
    await send();
    span.end();
    active.mockRestore();
    return exporter.getFinishedSpans().at(-1)?.attributes;
  };

  it('has the decision, the route and the client', async () => {
    const { ask } = await startOrders(issuer, { openTelemetry: true });
    const attributes = await attributesAfter(async () => {
      await ask(bearer(token({ client_id: 'web' })));
    });
    expect(attributes).toEqual({
      'resource_server.outcome': 'admitted',
      'resource_server.transport': 'http',
      'resource_server.issuer': issuer.url,
      'resource_server.route': 'GET /orders',
      'resource_server.client_id': 'web',
    });
  });

  it('keeps a refusal, if another field of the same query is admitted later', async () => {
    const queries = await graphqlQueryDriver('express').start(issuer, { openTelemetry: true, clock: Date.now });
    const attributes = await attributesAfter(async () => {
      await queries.call('scoped', token());
      await queries.call('closed', token());
    });
    await queries.close();
    expect(attributes).toMatchObject({
      'resource_server.outcome': 'refused',
      'resource_server.code': 'SCOPE_INSUFFICIENT',
      'resource_server.route': 'Query scoped',
    });
  });
});
