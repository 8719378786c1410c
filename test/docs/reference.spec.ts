import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { AuthOptions } from '../../src/index.js';
import { ERRORS } from '../../src/model/errors.js';
import type { ResolvedIssuer } from '../../src/options/resolve-issuer.js';
import type { ResolvedKeys } from '../../src/options/resolve-keys.js';
import { OPTION_NAMES, resolveOptions } from '../../src/options/resolve-options.js';

const readme = readFileSync('README.md', 'utf8');

/** Returns the rows of the README's table that has these headings, without the backticks of names and values. */
function tableWith(...headings: string[]): string[][] {
  const lines = readme.split('\n');
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const start = lines.findIndex((line) => headings.every((heading, index) => cellsOf(line)[index] === heading)) + 2;
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start, end).map(cellsOf);
}

const withoutBackticks = (cell = '') => cell.replaceAll('`', '');

describe('The first screen of the README', () => {
  it('has complete code, and the commands to try the package', () => {
    const lines = readme.split('\n');
    expect(lines.indexOf('```', lines.indexOf('```ts'))).toBeLessThan(29);
    expect(readme).toContain('npm ci && npm run demo');
    expect(readme).toContain('npm ci && npm test');
  });
});

describe('The errors of the documentation', () => {
  const page = readFileSync('docs/errors.md', 'utf8');
  const sections = page.split(/^#{2,3} /m);

  it('are those of the source, in the same order (README)', () => {
    const rows = tableWith('code', 'status', '`error`', 'description');
    expect(rows.map((row) => row.map(withoutBackticks))).toEqual(
      Object.entries(ERRORS).map(([code, row]: [string, { status: number; error?: string; description: string }]) => [
        code,
        String(row.status),
        row.error ?? '',
        row.description,
      ]),
    );
  });

  it.each(Object.entries(ERRORS))('include the meaning and the causes of %s (docs/errors.md)', (code, { status }) => {
    const section = sections.find((text) => text.startsWith(`${code}\n`)) ?? '';
    const [meaning = '', ...causes] = section.split(/^(?=[-|] )/m);
    expect(meaning).toContain(`**${String(status)}**`);
    expect(meaning.split(/\s+/).length).toBeGreaterThan(8);
    expect(causes.length).toBeGreaterThan(1);
    expect(page).toContain(`[${code}](#${code.toLowerCase()})`);
  });
});

describe('The options table of the README', () => {
  const rows = tableWith('option', 'default', 'meaning');
  const names = rows.map(([name]) => withoutBackticks(name));
  const defaults = new Map(rows.map(([name, value]) => [withoutBackticks(name), withoutBackticks(value)]));
  const options: AuthOptions = { issuer: 'https://issuer.example.com/', audience: 'x' };
  const resolved = resolveOptions(options);
  const [issuer] = resolved.issuers as readonly ResolvedIssuer[];
  const keys = issuer?.keys as Extract<ResolvedKeys, { from: 'discovery' }>;

  it('has every option of the source and no other, each with its meaning', () => {
    const keyNames = [...Object.keys(keys), 'jwks'].map((name) => `keys.${name}`);
    expect([...names].sort()).toEqual([...OPTION_NAMES, ...keyNames].sort());
    for (const [name, , meaning = ''] of rows) expect([name, meaning.length > 10]).toEqual([name, true]);
  });

  it('has the defaults of the source', () => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text of our own README
    const evaluate = (text = '') => (new Function(`return (${text})`) as () => unknown)();
    for (const [name, value] of Object.entries(keys)) {
      if (value !== undefined) expect([name, evaluate(defaults.get(`keys.${name}`))]).toEqual([name, value]);
    }
    expect(evaluate(defaults.get('clockToleranceSeconds'))).toBe(issuer?.clockToleranceSeconds);
    expect(evaluate(defaults.get('warmUp'))).toBe(resolved.warmUp);
    expect(evaluate(defaults.get('insecureAllowHttp'))).toBe(resolved.insecureAllowHttp);
    expect(defaults.get('clock')).toBe('Date.now');
    // To write the default has the same effect as to omit the option.
    for (const name of ['keys', 'tokenTypes', 'requiredClaims', 'claimPaths', 'tokenCache']) {
      expect([name, resolveOptions({ ...options, [name]: evaluate(defaults.get(name)) })]).toEqual([name, resolved]);
    }
    const algorithms = rows.find(([name]) => withoutBackticks(name) === 'algorithms')?.[2];
    expect(algorithms).toContain([...(issuer?.algorithms ?? [])].join(' '));
  });
});
