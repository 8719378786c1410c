import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AuthOptions } from '../../src/index.js';
import { closed, configured } from '../support/cli-applications.js';
import { command, type CommandEnvironment, examine } from '../support/command.js';
import { newKey, signToken } from '../support/local-issuer.js';

const APPLICATIONS = 'test/support/cli-applications.ts';
const ISSUER = 'https://id.example.com/realms/shop';
const METADATA = `${ISSUER}/.well-known/openid-configuration`;
const JWKS_URI = 'https://keys.example.com/jwks?key=SECRET';
const key = newKey('p-256', { kid: 'ours' });
const keys: AuthOptions['keys'] = { from: 'static', jwks: { keys: [key.jwk] as never } };
const seconds = Math.floor(Date.now() / 1000);

const tokenWith = (claims: Record<string, unknown> = {}) =>
  signToken(
    { alg: 'ES256', kid: 'ours' },
    { iss: ISSUER, aud: 'orders', sub: 'alice', exp: seconds + 300, ...claims },
    key.privateKey,
  );

/** Runs `doctor --app` for an application with these options. */
const ask = (options: unknown, stdin?: string, environment: CommandEnvironment = {}) => {
  configured.options = options as AuthOptions;
  return askExport('ConfiguredModule', stdin, environment);
};
const askExport = (name: string, stdin?: string, environment: CommandEnvironment = {}) =>
  examine(['--app', APPLICATIONS, '--export', name, ...(stdin === undefined ? [] : ['--token', '-'])], {
    ...environment,
    ...(stdin !== undefined && { stdin }),
  });

/** Answers requests with these documents, and with 404 otherwise. */
const serving = (documents: Record<string, unknown>) => (address: string | URL | Request) => {
  const document = documents[address as string];
  return Promise.resolve(document === undefined ? new Response(null, { status: 404 }) : Response.json(document));
};
const failing = () => Promise.reject(new TypeError('fetch failed'));

beforeEach(() => {
  closed.count = 0;
});

afterEach(() => {
  configured.onDestroy = () => undefined;
});

describe('doctor --app', () => {
  it('accepts a token for one of the resources, and rejects one for another API', async () => {
    const options = {
      issuer: ISSUER,
      audience: 'orders',
      keys,
      publicUrl: 'https://a.example.com',
      resources: { '/mcp': {} },
    };
    for (const aud of ['orders', 'https://a.example.com/mcp'])
      expect((await ask(options, tokenWith({ aud }))).problems).toEqual([]);
    expect((await ask(options, tokenWith({ aud: 'https://a.example.com' }))).problems).toEqual(['token.audience']);
  });

  it('accepts a token with options that have no flag, suggests no configuration, and closes the application', async () => {
    const unusual = { issuer: null, audience: null, idTokens: 'accept', keys };
    const token = tokenWith({ iss: undefined, aud: undefined, at_hash: 'x', typ: 'ID' });
    const result = await ask(unusual, token);
    expect([result.exitCode, result.problems, result.stderr, closed.count]).toEqual([0, [], '', 1]);
    expect(result.row('keys').found).toBe('"tokens without iss": static keys');
    expect(result.row('token.audience')).toMatchObject({ status: 'warning', found: 'not checked (audience: null)' });
    expect([result.configuration, result.checks.map(({ check }) => check)]).toEqual([
      null,
      expect.not.arrayContaining(['issuer', 'configuration']),
    ]);
    expect((await ask({ ...unusual, idTokens: 'reject' }, token)).problems).toEqual(['token.access-token']);
  });

  it('prints a table with the rows of the keys and of the token', async () => {
    configured.options = { issuer: ISSUER, audience: 'orders', keys };
    const argv = ['doctor', '--app', APPLICATIONS, '--export', 'ConfiguredModule', '--token', '-'];
    const { exitCode, stdout } = await command(argv, { stdin: tokenWith() });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^ok {2}keys {23}"https:.*static keys\n/)]);
    expect(stdout).toMatch(/^ok {2}token\.signature {12}ours$/m);
    expect(stdout).toContain('0 problems, 0 warnings.');
    expect(stdout).not.toContain('Configuration');
  });

  it('says how to check a token if there is none', async () => {
    const result = await ask({ issuer: ISSUER, audience: 'orders', keys });
    expect([result.exitCode, result.checks]).toEqual([
      0,
      [
        expect.objectContaining({ check: 'keys', status: 'ok' }),
        expect.objectContaining({ check: 'token.form', status: 'skipped', fix: expect.stringContaining('--token -') }),
      ],
    ]);
  });

  it('adds the advice of the provider to the fix of a rejected token', async () => {
    const result = await ask({ issuer: ISSUER, audience: 'orders', keys }, tokenWith({ aud: 'account' }));
    expect([result.exitCode, result.problems]).toEqual([1, ['token.audience']]);
    expect(result.row('token.audience').fix).toMatch(/Do not configure account: .*mapper of the type Audience/);
  });

  it.each([
    ['a trailing slash', `${ISSUER}/`, /^Write issuer: '.*\/', with the trailing slash/],
    ['its internal address', 'http://keycloak:8080/realms/shop', /KC_HOSTNAME=https:\/\/id\.example\.com/],
    ['another name', 'https://evil.example.com', /^Write `issuer` exactly as `iss` has it/],
  ])('rejects a token that names its issuer with %s', async (_name, iss, fix) => {
    const issuers = [
      { issuer: 'https://other.example.com', audience: 'a', keys },
      { issuer: ISSUER, audience: 'orders', keys },
    ];
    const result = await ask({ issuers }, tokenWith({ iss }));
    expect([result.exitCode, result.problems]).toEqual([1, ['token.issuer']]);
    expect(result.row('token.issuer').fix).toMatch(fix);
    expect(result.row('token.signature').status).toBe('skipped');
  });

  it('names the form of roles that the `claimPaths` of the issuer do not read', async () => {
    const claimPaths = { roles: ['groups'] };
    const result = await ask(
      { issuer: ISSUER, audience: 'orders', keys, claimPaths },
      tokenWith({ roles: [{ name: 'a' }], groups: { a: 1 } }),
    );
    expect([result.exitCode, result.row('token.roles')]).toEqual([
      0,
      expect.objectContaining({ status: 'warning', found: expect.stringContaining('`groups`') }),
    ]);
  });

  describe('the keys', () => {
    const remote = (fetch: unknown, more: object = {}) => ({ issuer: ISSUER, audience: 'orders', fetch, ...more });

    it('are fetched before the report, at every address of the options', async () => {
      const second = newKey('p-256', { kid: 'second' });
      const sets = { 'https://a.example.com/jwks': second, 'https://b.example.com/jwks': key };
      const uri = Object.keys(sets);
      const fetch = serving(Object.fromEntries(Object.entries(sets).map(([name, { jwk }]) => [name, { keys: [jwk] }])));
      const result = await ask(remote(fetch, { keys: { from: 'jwks', uri } }), tokenWith());
      expect([result.exitCode, result.problems]).toEqual([0, []]);
      expect(result.row('keys').found).toBe(`"${ISSUER}": issuer keys, 0 seconds old`);
    });

    it('that are unreachable are a problem, with exit code 3 and a proxy that Node ignores', async () => {
      const env = { HTTPS_PROXY: 'http://proxy.example.com' };
      const result = await ask(remote(failing), tokenWith(), { env });
      expect([result.exitCode, result.problems]).toEqual([3, ['keys', 'token.signature']]);
      expect(result.row('keys')).toMatchObject({
        found: `"${ISSUER}": no keys, the last fetch failed (NETWORK)`,
        fix: expect.stringContaining(`run doctor --issuer '${ISSUER}'`),
      });
      expect(result.row('proxy').status).toBe('warning');
    });

    it('that the issuer does not have are a problem with exit code 1', async () => {
      const result = await ask(remote(serving({})));
      expect([result.exitCode, result.problems]).toEqual([1, ['keys']]);
      expect(result.row('keys').found).toContain('(STATUS)');
    });

    it('of the fallback are a warning', async () => {
      const fallback = { keys: [key.jwk] };
      const result = await ask(remote(failing, { keys: { from: 'discovery', fallback } }), tokenWith());
      expect([result.exitCode, result.problems]).toEqual([0, []]);
      expect(result.row('keys')).toMatchObject({
        status: 'warning',
        found: `"${ISSUER}": fallback keys, the last fetch failed (NETWORK)`,
      });
    });

    it('of a {kid} address are fetched for the token, and skipped without one', async () => {
      const uri = 'https://keys.example.com/{kid}';
      const fetch = serving({ 'https://keys.example.com/ours': { keys: [key.jwk] } });
      const options = remote(fetch, { keys: { from: 'jwks', uri } });
      const without = await ask(options);
      expect([without.exitCode, without.row('keys')]).toEqual([
        0,
        expect.objectContaining({ status: 'skipped', found: `"${ISSUER}": no keys` }),
      ]);
      expect((await ask(options, tokenWith())).row('keys').status).toBe('ok');
    });

    it('of a tenant are fetched for a token of that tenant, also if it is expired', async () => {
      const fetch = serving({
        [METADATA]: { issuer: ISSUER, jwks_uri: JWKS_URI },
        [JWKS_URI]: { keys: [key.jwk] },
      });
      const issuers = (issuer: string) => (issuer === ISSUER ? { issuer, audience: null } : undefined);
      expect((await ask({ issuers, fetch })).checks.map(({ check }) => check)).toEqual(['token.form']);
      const expired = await ask({ issuers, fetch }, tokenWith({ exp: 1_000 }));
      expect([expired.problems, expired.row('keys').status]).toEqual([['token.expiration'], 'ok']);
      expect(expired.row('token.signature').status).toBe('ok');
      expect(expired.row('token.audience').status).toBe('warning');
      const other = await ask({ issuers, fetch }, tokenWith({ iss: 'https://other.example.com' }));
      expect(other.problems).toEqual(['token.issuer']);
    });

    it('have a row for each issuer', async () => {
      const issuers = (own: object) => ['a', 'b'].map((name) => ({ issuer: `https://${name}`, audience: 'c', ...own }));
      const rowsOf = async (options: unknown) =>
        (await ask(options)).checks.flatMap(({ check, found }) =>
          check === 'keys' ? found.split(':').slice(0, 2) : [],
        );
      const expected = ['"https', '//a"', '"https', '//b"'];
      expect(await rowsOf({ issuers: issuers({ keys }) })).toEqual(expected);
      expect(await rowsOf({ issuers: issuers({}), fetch: failing })).toEqual(expected);
    });
  });

  it('calls `validate`, and not `user`', async () => {
    const calls: string[] = [];
    const options = {
      issuer: ISSUER,
      audience: 'orders',
      keys,
      validate: () => {
        calls.push('validate');
        return false;
      },
      user: () => calls.push('user'),
    };
    const result = await ask(options, tokenWith());
    expect([result.exitCode, result.problems, calls]).toEqual([1, ['token.validate'], ['validate']]);
  });

  it('prints neither the token nor a secret of the options', async () => {
    const fetch = serving({ [JWKS_URI]: { keys: [key.jwk] } });
    const headers = { 'x-key': 'SECRET' };
    const validate = () => {
      throw new Error('SECRET');
    };
    const token = tokenWith({ email: 'SECRET', cnf: undefined, scope: 'SECRET' });
    for (const used of [fetch, failing]) {
      const options = { issuer: ISSUER, audience: 'orders', fetch: used, validate };
      const { stdout, stderr } = await ask({ ...options, keys: { from: 'jwks', uri: JWKS_URI, headers } }, token);
      for (const part of ['SECRET', ...token.split('.')]) expect(stdout + stderr).not.toContain(part);
    }
  });

  it('checks each of several AuthModules, and shows the one that accepts the token or trusts its issuer', async () => {
    const wrong = { issuer: ISSUER, audience: 'invoices', keys };
    const right = { issuer: ISSUER, audience: 'orders', keys };
    const other = { issuer: 'https://other.example.com', audience: 'orders', keys };
    configured.several = [other, wrong, right];
    const accepted = await askExport('createSeveral', tokenWith());
    expect([accepted.exitCode, accepted.checks.filter(({ check }) => check === 'keys').length]).toEqual([0, 3]);
    configured.several = [other, wrong];
    const rejected = await askExport('createSeveral', tokenWith());
    expect([rejected.exitCode, rejected.problems]).toEqual([1, ['token.audience']]);
    expect(rejected.row('application').found).toBe(`2 AuthModules; the token is checked by that of ${ISSUER}`);
    const untrusted = await askExport('createSeveral', tokenWith({ iss: 'https://evil.example.com' }));
    expect(untrusted.problems).toEqual(['token.issuer']);
  });

  it.each<[string, string[], number, string]>([
    ...[
      ['--issuer', ISSUER],
      ['--audience', 'orders'],
      ['--no-audience'],
      ['--jwks-uri', JWKS_URI],
      ['--metadata-uri', METADATA],
      ['--header', 'x-tenant: a'],
      ['--clock-tolerance', '5'],
      ['--timeout', '5'],
      ['--allow-http'],
    ].map((more): [string, string[], number, string] => [
      String(more[0]),
      ['--app', APPLICATIONS, ...more],
      2,
      `error: --app and ${String(more[0])} exclude each other. Omit one of them.`,
    ]),
    ['--export without --app', ['--issuer', ISSUER, '--export', 'AppModule'], 2, '--export needs --app <file>'],
    ['no --issuer and no --app', [], 2, 'Write --issuer <url>, --app <file>, or --resource <url>'],
    ['a file that does not exist', ['--app', 'dist/nothing.js'], 2, 'There is no file dist/nothing.js'],
    ['several suitable exports', ['--app', APPLICATIONS], 2, 'several exports to choose from'],
    ['an application without AuthModule', ['--app', APPLICATIONS, '--export', 'OpenModule'], 1, 'has no AuthModule'],
    ['an application that does not start', ['--app', APPLICATIONS, '--export', 'BrokenModule'], 3, 'no database'],
  ])('rejects %s', async (_name, parameters, exitCode, message) => {
    const result = await command(['doctor', ...parameters]);
    expect([result.exitCode, result.stdout, result.stderr]).toEqual([exitCode, '', expect.stringContaining(message)]);
  });

  describe('with an application that hangs', () => {
    const never = () => new Promise(() => undefined);
    const minuteLater = async <Result>(running: Promise<Result>) => {
      const turns = { left: 0 };
      void running.finally(() => (turns.left = Infinity));
      for (; turns.left < 1_000; turns.left += 1) {
        await new Promise((settle) => setImmediate(settle));
        await jest.advanceTimersByTimeAsync(1_000);
      }
      return running;
    };

    beforeEach(() => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
    });

    afterEach(() => {
      jest.useRealTimers();
    });

    it('ends if `validate` never returns (exit code 3)', async () => {
      configured.options = {
        issuer: ISSUER,
        audience: 'orders',
        keys,
        clock: () => seconds * 1000,
        validate: never as never,
      };
      const argv = ['doctor', '--app', APPLICATIONS, '--export', 'ConfiguredModule', '--token', '-'];
      const { exitCode, stdout, stderr } = await minuteLater(command(argv, { stdin: tokenWith() }));
      const message = 'error: The application cannot be examined: no result within 60 seconds\n';
      expect([exitCode, stdout, stderr]).toEqual([3, '', message]);
    });

    it('prints the report, and a warning if it does not close', async () => {
      configured.onDestroy = never;
      const result = await minuteLater(ask({ issuer: ISSUER, audience: 'orders', keys }));
      const message = 'warning: The application does not close: no result within 60 seconds\n';
      expect([result.exitCode, result.row('keys').status, result.stderr]).toEqual([0, 'ok', message]);
    });
  });
});
