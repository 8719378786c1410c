import { describe, expect, it } from '@jest/globals';
import { ReportedRefusals } from '../../../src/access/reported-refusals.js';
import { AuthError } from '../../../src/model/errors.js';

const SCOPE = new AuthError('SCOPE_INSUFFICIENT');
const ROLE = new AuthError('ROLE_INSUFFICIENT');

describe('ReportedRefusals', () => {
  it('counts by code, client and handler, the most frequent first', () => {
    const reported = new ReportedRefusals();
    reported.add(SCOPE, 'a', 'Orders.list');
    for (const client of ['a', 'b', undefined, 'b', 'b']) reported.add(ROLE, client, 'Orders.list');
    for (const handler of ['Orders.get', undefined, undefined]) reported.add(ROLE, 'b', handler);
    expect(reported.counts().slice(0, 2)).toStrictEqual([
      { code: 'ROLE_INSUFFICIENT', clientId: 'b', handler: 'Orders.list', count: 3 },
      { code: 'ROLE_INSUFFICIENT', clientId: 'b', handler: undefined, count: 2 },
    ]);
    expect(reported.counts().map(({ count }) => count)).toEqual([3, 2, 1, 1, 1, 1]);
  });

  it('distinguishes a caller without a client id from every client id', () => {
    const reported = new ReportedRefusals();
    for (const client of [undefined, 'undefined', 'null', '']) reported.add(SCOPE, client);
    expect(reported.counts().map(({ clientId }) => clientId)).toStrictEqual([undefined, 'undefined', 'null', '']);
  });

  it('calls back for the first, the tenth, the hundredth … refusal of a row', () => {
    const lines: string[] = [];
    const reported = new ReportedRefusals(({ clientId, count }, error) => {
      lines.push(`${error.code} ${String(clientId)} ${String(count)}`);
    });
    for (let call = 0; call < 1_100; call += 1) reported.add(SCOPE, 'a');
    reported.add(SCOPE, 'b');
    expect(lines).toEqual(['a 1', 'a 10', 'a 100', 'a 1000', 'b 1'].map((line) => `SCOPE_INSUFFICIENT ${line}`));
  });

  it('counts together what exceeds a thousand rows, so that memory stays bounded', () => {
    const reported = new ReportedRefusals();
    for (let client = 0; client < 1_000; client += 1) reported.add(SCOPE, `client ${String(client)}`, 'Orders.list');
    expect(reported.counts()).toHaveLength(1_000);
    for (let client = 0; client < 500; client += 1) {
      reported.add(SCOPE, `late ${String(client)}`, 'Orders.list');
      reported.add(ROLE, `late ${String(client)}`, 'Orders.list');
    }
    reported.add(SCOPE, 'client 7', 'Orders.list');
    expect(reported.counts()).toHaveLength(1_002);
    expect(reported.counts().slice(0, 3)).toStrictEqual([
      { code: 'SCOPE_INSUFFICIENT', clientId: undefined, handler: undefined, count: 500 },
      { code: 'ROLE_INSUFFICIENT', clientId: undefined, handler: undefined, count: 500 },
      { code: 'SCOPE_INSUFFICIENT', clientId: 'client 7', handler: 'Orders.list', count: 2 },
    ]);
  });
});
