import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { command } from '../../support/command.js';

describe('the command line', () => {
  it.each([
    [['--help'], ['doctor', 'routes', 'Usage: nestjs-resource-server']],
    [
      ['doctor', '--help'],
      ['--issuer <url>', '$ nestjs-resource-server doctor --issuer', 'Exit codes: 0'],
    ],
    [
      ['routes', '--help'],
      ['--allow', '$ nestjs-resource-server routes dist/app.module.js'],
    ],
  ])('explains itself: %p', async (argv, texts) => {
    const { exitCode, stdout, stderr } = await command(argv);
    expect([exitCode, stderr]).toEqual([0, '']);
    for (const text of texts) expect(stdout).toContain(text);
  });

  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await command(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    [[], 'Usage:'],
    [['docter'], "unknown command 'docter'"],
    [['doctor'], "required option '--issuer <url>' not specified"],
    [['doctor', '--issuer', 'https://a.example', '--timeout', 'soon'], 'a number of seconds from 0.1 to 60'],
    [['doctor', '--issuer', 'https://a.example', '--timeout', ''], 'a number of seconds'],
    [['doctor', '--issuer', 'https://a.example', '--clock-tolerance', '301'], 'a number of seconds from 0 to 300'],
    [['doctor', '--issuer', 'https://a.example', '--colour'], "unknown option '--colour'"],
    [['doctor', 'https://a.example'], "required option '--issuer <url>' not specified"],
    [['doctor', '--issuer', 'https://a.example', 'api'], "too many arguments for 'doctor'"],
    [['doctor', '--isuer', 'https://a.example'], "unknown option '--isuer'\n(Did you mean --issuer?)"],
    [['doctor', '--issuer', ''], '--issuer is empty: a variable that it is made of may not be set.'],
    [['doctor', '--issuer', 'undefined', '--json'], '--issuer has an empty part, undefined or null in it'],
    [['doctor', '--issuer', 'https://a.example', '--audience', ''], '--audience is empty'],
    [['doctor', '--issuer', 'https://a.example', '--audience', 'undefined'], '--audience has an empty part'],
    [['doctor', '--issuer', 'https://a.example', '--jwks-uri', ''], '--jwks-uri is empty'],
    [['routes'], 'Give one built file'],
  ])('is answered with 2 and a word on stderr when it is wrong: %p', async (argv, message) => {
    const { exitCode, stdout, stderr } = await command(argv, { fetch: () => Promise.reject(new Error('was asked')) });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.each([
    [['doctor', '--issuer', 'https://a.example', '--audience']],
    [['doctor', '--issuer', 'https://a.example', 'api']],
    [['doctor', '--audience', '--issuer', 'https://a.example']],
    [['doctor', '--issuer', '--audience', '--json']],
  ])('says that a variable of the shell may not be set, where nothing is left of it: %p', async (argv) => {
    const { exitCode, stdout, stderr } = await command(argv, { fetch: () => Promise.reject(new Error('was asked')) });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/a variable .*may not be set/i);
  });

  it('repeats nothing that may be a token', async () => {
    const token = 'YWxpY2VhbGljZQ.YWxpY2VhbGljZQ.YWxpY2VhbGljZQ';
    const { stderr, exitCode } = await command(['doctor', '--issuer', 'https://a.example', `--tokn=${token}`]);
    expect(exitCode).toBe(2);
    expect(stderr).not.toContain('YWxpY2V');
  });

  it('takes no token for anything else, and asks nobody', async () => {
    const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln';
    const fetchNothing = () => Promise.reject(new Error('was asked'));
    for (const argv of [
      ['--issuer', token],
      ['--issuer', 'https://a.example', '--audience', `Bearer ${token}`],
    ]) {
      const { exitCode, stdout, stderr } = await command(['doctor', ...argv], { fetch: fetchNothing });
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toContain('--token -');
      expect(stderr).not.toContain('eyJ');
    }
  });
});
