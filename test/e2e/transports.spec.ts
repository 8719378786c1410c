import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/guarded-app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import type { Door, RunningTransport, TransportDriver } from '../support/transports/doors.js';
import { graphqlQueryDriver, graphqlSubscriptionDriver } from '../support/transports/graphql.js';
import { ended, httpDriver, sseDriver } from '../support/transports/http.js';
import { grpcDriver, noted, tcpDriver } from '../support/transports/microservices.js';
import { socketDrivers } from '../support/transports/sockets.js';

const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
let issuer: LocalIssuer;

beforeAll(async () => {
  issuer = await LocalIssuer.start([key]);
});

afterAll(() => issuer.stop());

const tokenWith = (claims: Record<string, unknown> = {}, by = key) =>
  // The clock of the tests stands still.
  issuer.token(by, 'RS256', { iat: Math.floor(Date.now() / 1000) - 60, ...claims });

const TOKENS = {
  none: () => undefined,
  good: () => tokenWith(),
  reader: () => tokenWith({ scope: 'read' }),
  writer: () => tokenWith({ scope: 'write' }),
  both: () => tokenWith({ scope: 'read write' }),
  forged: () => tokenWith({}, stranger),
  garbled: () => 'not-a-token',
  expired: () => tokenWith({ exp: Math.floor(Date.now() / 1000) - 60 }),
  foreign: () => tokenWith({ aud: 'https://other.example.com' }),
};

/** What holds on every transport. */
const CASES: readonly [door: Door, token: keyof typeof TOKENS, outcome: string][] = [
  ['closed', 'none', 'TOKEN_MISSING'],
  ['closed', 'good', 'ok alice'],
  ['closed', 'forged', 'SIGNATURE_INVALID'],
  ['closed', 'garbled', 'TOKEN_MALFORMED'],
  ['closed', 'expired', 'TOKEN_EXPIRED'],
  ['closed', 'foreign', 'AUDIENCE_MISMATCH'],
  ['scoped', 'none', 'TOKEN_MISSING'],
  ['scoped', 'forged', 'SIGNATURE_INVALID'],
  ['scoped', 'expired', 'TOKEN_EXPIRED'],
  ['scoped', 'reader', 'SCOPE_INSUFFICIENT'],
  ['scoped', 'writer', 'ok alice'],
  ['public', 'none', 'ok guest'],
  ['public', 'forged', 'ok guest'],
  ['optional', 'none', 'ok guest'],
  ['optional', 'good', 'ok alice'],
  ['optional', 'forged', 'SIGNATURE_INVALID'],
  ['optional', 'expired', 'TOKEN_EXPIRED'],
  ['inherits', 'none', 'TOKEN_MISSING'],
  ['inherits', 'writer', 'SCOPE_INSUFFICIENT'],
  ['inherits', 'reader', 'ok alice'],
  ['beats', 'reader', 'SCOPE_INSUFFICIENT'],
  ['beats', 'writer', 'ok alice'],
  ['merged', 'reader', 'SCOPE_INSUFFICIENT'],
  ['merged', 'writer', 'SCOPE_INSUFFICIENT'],
  ['merged', 'both', 'ok alice'],
];

const TRANSPORTS: readonly TransportDriver[] = [
  httpDriver('express'),
  httpDriver('fastify'),
  graphqlQueryDriver('express'),
  graphqlQueryDriver('fastify'),
  graphqlSubscriptionDriver,
  ...socketDrivers,
  sseDriver('express'),
  sseDriver('fastify'),
  tcpDriver,
  grpcDriver,
];

function notOpen(): never {
  throw new Error('has nothing that stays open');
}

describe.each(TRANSPORTS)('$name', (driver) => {
  let transport: RunningTransport;

  beforeAll(async () => {
    transport = await driver.start(issuer);
  });

  afterAll(() => transport.close());

  it.each(CASES)('at a door that is %s, with a token that is %s: %s', async (door, token, outcome) => {
    expect(await transport.call(door, TOKENS[token]())).toBe(outcome);
  });

  it('closes a connection that stays when its token expires; where none stays, the next call is refused', async () => {
    if (transport.open === undefined) {
      const token = TOKENS.good();
      expect(await transport.call('closed', token)).toBe('ok alice');
      transport.clock.pass(301);
      expect(await transport.call('closed', token)).toBe('TOKEN_EXPIRED');
      transport.clock.pass(-301);
      return;
    }
    const before = ended.count;
    const exp = Date.now() / 1000 + 1.5;
    // The clock of the transport runs: this one was read when it started.
    const running = await driver.start(issuer, { clock: Date.now });
    const { closed } = await (running.open ?? notOpen)(tokenWith({ exp }));
    expect(await closed).toBe('TOKEN_EXPIRED');
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(exp);
    // Nest gives the handler's observable up, too.
    if (/^server-sent|^gRPC/.test(driver.name)) await until(() => ended.count === before + 1);
    await running.close();
  });
});

describe.each(['Raw', 'Upload'] as const)('A gRPC handler that is given the stream itself (%s)', (door) => {
  it.each([
    ['none', 'TOKEN_MISSING'],
    ['forged', 'SIGNATURE_INVALID'],
    ['expired', 'TOKEN_EXPIRED'],
    ['good', door === 'Raw' ? 'open' : 'uploaded'],
  ] as const)('answers a token that is %s with %s, and the process lives on', async (token, outcome) => {
    const transport = await grpcDriver.start(issuer);
    expect(await transport.held(door, TOKENS[token]())).toBe(outcome);
    expect(await transport.call('closed', TOKENS.good())).toBe('ok alice');
    await transport.close();
  });
});

describe('An event of a microservice', () => {
  it('is noted with a good token only, and the process lives on', async () => {
    const transport = await tcpDriver.start(issuer);
    for (const token of ['none', 'forged', 'expired', 'good'] as const) await transport.emit(TOKENS[token]());
    // Events of one socket are handled in their order.
    expect(await transport.call('closed', TOKENS.good())).toBe('ok alice');
    await until(() => noted.length > 0);
    expect(noted).toEqual(['alice']);
    await transport.close();
  });
});
