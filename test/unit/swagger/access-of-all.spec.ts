import { describe, expect, it } from '@jest/globals';
import type { Door } from '../../../src/nest/routes/route-reporter.js';
import { accessOfAll } from '../../../src/swagger/access-of-all.js';

const scopes = (...names: string[]) => ({ kind: 'scopes', names });
const roles = (...names: string[]) => ({ kind: 'roles', names });
const acr = (...values: string[]) => ({ kind: 'acr', values });

function door(controller: string, access: Door['access'], ...requirements: object[]): Door {
  const placed = requirements.map((requirement) => ({
    from: 'handler',
    requirement: { merge: false, reportOnly: false, ...requirement },
  }));
  const handler = { controller: { name: controller }, method: { name: 'list' } };
  return { access, route: { requirements: placed }, handler } as unknown as Door;
}

const open = door('Open', 'open');
const guests = door('Guests', 'optional');
const closed = door('Closed', 'guarded');
const reader = door('Reader', 'guarded', scopes('read'));
const writer = door('Writer', 'guarded', scopes('read', 'write'));
const clerk = door('Clerk', 'guarded', roles('clerk'), acr('gold'));
const manual = door('Manual', 'unguarded');

describe('an operation', () => {
  it('that nobody answers is closed', () => {
    expect(accessOfAll([])).toMatchObject({ access: 'closed', scopes: [[]], mayBeForbidden: false, handlers: [] });
  });

  it('of handlers that ask for the same asks for that', () => {
    const same = door('Another', 'guarded', scopes('read'));
    expect(accessOfAll([reader, same])).toEqual(accessOfAll([reader]));
    expect(accessOfAll([open, open]).access).toBe('open');
    expect(accessOfAll([manual, manual]).access).toBe('unguarded');
  });
});

describe('an operation of handlers that differ', () => {
  it('has the alternatives of each, those that have more than another included', () => {
    const access = accessOfAll([reader, writer, closed, reader]);
    expect(access).toMatchObject({ access: 'closed', scopes: [['read'], ['read', 'write'], []] });
    expect(access.namedScopes).toEqual(['read', 'write']);
  });

  it('lets guests come where one of the handlers does', () => {
    expect(accessOfAll([open, writer])).toMatchObject({ access: 'optional', scopes: [['read', 'write']] });
    expect(accessOfAll([writer, guests])).toMatchObject({ access: 'optional', scopes: [['read', 'write'], []] });
  });

  it('is told to be forbidden, and to ask for another authentication, where one of the handlers may', () => {
    expect(accessOfAll([closed, guests])).toMatchObject({ mayBeForbidden: false, stepUp: undefined });
    expect(accessOfAll([closed, writer])).toMatchObject({ mayBeForbidden: true, stepUp: undefined });
    expect(accessOfAll([closed, clerk])).toMatchObject({ mayBeForbidden: true, stepUp: { acrValues: 'gold' } });
  });

  it('says what each of them asks for', () => {
    expect(accessOfAll([open, guests, closed, writer, clerk, manual, writer]).handlers).toEqual([
      '`Open.list`: no token',
      '`Guests.list`: a token, if one is sent',
      '`Closed.list`: a token',
      '`Writer.list`: a token; all of the scopes `read`, `write`',
      '`Clerk.list`: a token; role `clerk`; authentication (`acr`) as `gold`',
      '`Manual.list`: nothing of `AuthGuard`',
    ]);
  });

  it('is not opened by a handler that AuthGuard is not asked about, whatever that asks for', () => {
    expect(accessOfAll([manual, writer])).toMatchObject({ access: 'closed', scopes: [['read', 'write']] });
  });

  it('stays as it was where none of them asks for a token', () => {
    expect(accessOfAll([manual, open]).access).toBe('unguarded');
  });
});
