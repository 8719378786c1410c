import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { command } from '../../support/command.js';

const failingFetch = () => Promise.reject(new Error('must not be called'));

describe('the command line', () => {
  it.each([
    [['--help'], ['doctor', 'routes', 'Usage: nestjs-resource-server']],
    [
      ['doctor', '--help'],
      ['--issuer <url>', '--app <file>', '$ nestjs-resource-server doctor --issuer', 'Exit codes: 0'],
    ],
    [
      ['routes', '--help'],
      ['--allow', '$ nestjs-resource-server routes dist/app.module.js'],
    ],
  ])('prints help: %p', async (argv, texts) => {
    const { exitCode, stdout, stderr } = await command(argv);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const text of texts) expect(stdout).toContain(text);
  });

  it.each([40, 50, 100])(
    'wraps help and errors within a terminal of %d columns, and not in a pipe',
    async (columns) => {
      for (const argv of [
        ['--help'],
        ['doctor', '--help'],
        ['routes', '--help'],
        ['docter'],
        ['doctor', '--isuer', 'a'],
      ]) {
        const [pipe, terminal] = [await command(argv), await command(argv, { columns })];
        const [expected, actual] = [pipe, terminal].map(({ stdout, stderr }) => stdout + stderr);
        expect(actual?.split('\n').filter((line) => line.length > columns)).toEqual([]);
        expect(actual?.split(/\s+/)).toEqual(expected?.split(/\s+/));
        expect(expected?.split('\n').some((line) => line.length > 100)).toBe(!argv.includes('--isuer'));
      }
    },
  );

  it('indents wrapped lines', async () => {
    const { stdout } = await command(['doctor', '--help'], { columns: 80 });
    expect(stdout).toContain(
      '  --audience <name>            the audience of tokens for the API; can be\n                               repeated\n',
    );
    const narrow = await command(['doctor', '--help'], { columns: 50 });
    expect(narrow.stdout).toContain(
      '  --jwks-uri <url>\n    the address of the keys, for an issuer without\n    metadata\n',
    );
    const { stderr } = await command(['routes'], { columns: 50 });
    expect(stderr).toBe(
      'error: Give one built file, for example:\n       nestjs-resource-server routes\n       dist/app.module.js\n',
    );
  });

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await command(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  const VALID = ['doctor', '--issuer', 'https://issuer.example.com'];

  it.each([
    [[], 'Usage:'],
    [['docter'], "unknown command 'docter'"],
    [['constructor'], "unknown command 'constructor'"],
    [['doctor'], '--issuer is missing'],
    [[...VALID, '--timeout', 'soon'], 'not a number of seconds from 0.1 to 60'],
    [[...VALID, '--timeout', ''], 'not a number of seconds'],
    [[...VALID, '--clock-tolerance', '301'], 'not a number of seconds from 0 to 300'],
    [
      ['doctor', '--isuer', 'https://issuer.example.com'],
      "Unknown option '--isuer'. See nestjs-resource-server doctor",
    ],
    [[...VALID, 'api'], "Unexpected argument 'api'"],
    [['routes'], 'Give one built file'],
  ])('rejects wrong usage with exit code 2 and a message on stderr: %p', async (argv, message) => {
    const { exitCode, stdout, stderr } = await command(argv, { fetch: failingFetch });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.each([
    [[...VALID, '--audience']],
    [[...VALID, 'api']],
    [['doctor', '--audience', '--issuer', 'https://issuer.example.com']],
    [['doctor', '--issuer', '--audience', '--json']],
    [['doctor', '--issuer', '']],
    [['doctor', '--issuer', 'undefined']],
    [['doctor', '--issuer', "'https://issuer.example.com'"]],
    [['doctor', '--issuer', 'https://undefined.auth0.com/']],
    [['doctor', '--issuer', 'https://']],
    [['doctor', '--issuer', 'https:///realms/shop']],
    [['doctor', '--issuer', 'https://:8443/realms/shop']],
    [['doctor', '--issuer', 'https://.auth0.com/']],
    [['doctor', '--issuer', 'https://issuer.example.com/realms/null']],
    [[...VALID, '--audience', 'api', '--audience', ' ']],
    [[...VALID, '--audience', 'api://undefined']],
    [[...VALID, '--jwks-uri', '']],
  ])('says that a shell variable may not be set: %p', async (argv) => {
    const { exitCode, stdout, stderr } = await command(argv, { fetch: failingFetch });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/a (?:shell )?variable may not be set/i);
  });

  it.each(['https://undefined-behavior.example.com', 'https://nan.example.org', 'https://eyeglasses.example.com'])(
    'accepts %s',
    async (issuer) => {
      const audience = ['--audience', 'api://nullable', '--audience', 'urn:api'];
      const { exitCode } = await command(['doctor', '--issuer', issuer, ...audience], { fetch: failingFetch });
      expect(exitCode).toBe(3);
    },
  );
});
