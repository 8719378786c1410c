import { describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type AuthOptions, fromBearerHeader } from '../../src/index.js';
import { ALGORITHM_NAMES } from '../../src/keys/algorithms.js';
import { ERRORS } from '../../src/model/errors.js';
import { AUTHORITY_KINDS } from '../../src/model/requirement.js';
import { DEFAULTS } from '../../src/options/defaults.js';
import type { ResolvedIssuer } from '../../src/options/resolve-issuer.js';
import { EXTRA_DEFAULTS, OPTION_NAMES, resolveOptions } from '../../src/options/resolve-options.js';

describe('The README', () => {
  it('is short, and starts with complete code and the commands to try the package', () => {
    const lines = readFileSync('README.md', 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(160);
    const start = lines.findIndex((line) => line.startsWith('```ts'));
    expect(start).toBeGreaterThan(0);
    expect(lines.indexOf('```', start)).toBeLessThan(75);
    const text = lines.join('\n');
    expect(text).toContain('npm ci && npm run demo');
    expect(text).toContain('npm ci && npm test');
  });
});

describe('The page of error codes', () => {
  const page = readFileSync('docs/reference/errors.md', 'utf8');
  const sections = page.split(/^#{2,3} /m);

  it('lists the errors of the source in the same order', () => {
    const codes = sections.map((text) => text.split('\n')[0] ?? '').filter((title) => /^[A-Z_]+$/.test(title));
    expect(codes).toEqual(Object.keys(ERRORS));
  });

  it.each<[string, { status: number; error?: string; description: string }]>(Object.entries(ERRORS))(
    'includes the meaning and the causes of %s',
    (code, { status, error, description }) => {
      const section = sections.find((text) => text.startsWith(`${code}\n`)) ?? '';
      const [meaning = '', ...causes] = section.split(/^(?=[-|] )/m);
      expect(meaning).toContain([`**${String(status)}**`, ...(error ? [`\`${error}\``] : []), description].join(' '));
      expect(causes.length).toBeGreaterThan(1);
    },
  );
});

describe('The page of options', () => {
  const page = readFileSync('docs/reference/options.md', 'utf8');
  const sections = new Map(
    page
      .split(/^### /m)
      .slice(1)
      .map((text): [string, string] => {
        const [name = '', , ...comments] = (text.split(/^## /m)[0] ?? '').trim().split('\n\n');
        return [name, comments.join('\n\n')];
      }),
  );
  const options: AuthOptions = { issuer: 'https://issuer.example.com/', audience: 'x' };
  const resolved = resolveOptions(options);
  const [issuer] = resolved.issuers as readonly ResolvedIssuer[];
  const stated = new Map([...sections].flatMap(([name, text]) => statedDefaults(name, text)));

  it('is generated from the current source (npm run generate)', async () => {
    const path = '../../docs/.vitepress/options-page.mjs';
    const { optionsPage } = (await import(path)) as { readonly optionsPage: () => Promise<string> };
    expect(page).toBe(await optionsPage());
    // Prettier and TypeScript are loaded again in each test file.
  }, 60_000);

  it('has every option of the source and no other, each with its meaning', () => {
    const groups: Record<string, readonly string[]> = {
      keys: [...Object.keys(issuer?.keys ?? {}), 'jwks', 'pem'],
      claimPaths: Object.keys(issuer?.claimPaths ?? {}),
      require: [...AUTHORITY_KINDS, 'acr', 'policy', 'reportOnly'],
      connections: Object.keys(resolved.connections),
    };
    const members = Object.entries(groups).flatMap(([group, names]) => names.map((name) => `${group}.${name}`));
    expect([...sections.keys()].sort()).toEqual([...OPTION_NAMES, ...members].sort());
    for (const [name, text] of sections) expect([name, text.length > 10]).toEqual([name, true]);
  });

  it('states the defaults of src/options/defaults.ts', () => {
    const values = Array.from(stated, ([name, value]) => [name.replace(/^.*\./, ''), value] as const);
    const known = values.filter(([name]) => name in DEFAULTS);
    expect(known.length).toBe(Object.keys(DEFAULTS).length);
    expect(Object.fromEntries(known)).toEqual(DEFAULTS);
  });

  it('states the defaults of the resolved options', () => {
    const { clock, ...values } = Object.fromEntries(stated);
    expect(clock).toBe(Date.now);
    const now = jest.spyOn(Date, 'now').mockReturnValue(42);
    expect(resolved.clock()).toBe(42);
    now.mockRestore();
    for (const [name, value] of Object.entries(values)) {
      if (name in EXTRA_DEFAULTS) expect([name, value]).toEqual([name, EXTRA_DEFAULTS[name as 'guard']]);
      // To write the default has the same effect as to omit the option.
      else expect([name, resolveWith(name, value)]).toEqual([name, resolveWith(name)]);
    }
    expect(Object.keys(values)).toEqual(
      expect.arrayContaining([
        ...['keys', 'requiredClaims', 'claimPaths', 'reportOnly', 'tokenFrom', 'connections', 'require.reportOnly'],
        ...['explainRefusals', 'openTelemetry', 'insecureAllowHttp', 'guard', 'isGlobal'],
      ]),
    );
  });

  it('states that options without a default are off', () => {
    const names = [...sections].filter(([, text]) => /Default(?: none|: any origin|: no limit)/.test(text));
    expect(names.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'keys.jwksOrigins',
        'keys.fallback',
        'maxTokenAgeSeconds',
        'require',
        'realm',
        'keyStore',
      ]),
    );
    const off: Record<string, unknown> = { ...resolved, ...issuer, ...prefixed('keys.', issuer?.keys) };
    for (const [name] of names)
      expect([name, [off[name]].flat()]).toEqual([name, name === 'require' ? [] : [undefined]]);
  });

  it('lists all algorithms, and those that are accepted by default', () => {
    const names = /^### algorithms\n\n`\((.*)\)\[\]`$/m.exec(page)?.[1]?.split(' | ');
    expect(names?.map((name) => name.slice(1, -1))).toEqual(ALGORITHM_NAMES);
    const families = /Default: RS, PS and ES 256 to 512, EdDSA and Ed25519/;
    expect(sections.get('algorithms')).toMatch(families);
    const expected = ['RS', 'PS', 'ES'].flatMap((family) => ['256', '384', '512'].map((bits) => family + bits));
    expect([...(issuer?.algorithms ?? [])]).toEqual([...expected, 'EdDSA', 'Ed25519']);
  });

  /** Resolves the options with a value for one of them, or without it. Some groups need another member. */
  function resolveWith(name: string, value?: unknown) {
    const [group = '', member] = name.split('.');
    const others = { keys: { from: 'discovery' }, require: { scopes: ['x'] } }[group];
    const given = member === undefined ? value : { ...others, ...(value !== undefined && { [member]: value }) };
    return resolveOptions({ ...options, ...(given !== undefined && { [group]: given }) });
  }
});

/** Returns the defaults with a value that the description of an option states, also those of its members. */
function statedDefaults(name: string, text: string): readonly (readonly [name: string, value: unknown])[] {
  const own: readonly (string | undefined)[] =
    /\bDefault (?:`([^`]+)`|(\d+|true|false)\b)|(\d+) \(default\)/.exec(text)?.slice(1) ?? [];
  const word = /`(\w+)` \(default\)/.exec(text)?.[1];
  const members = [...text.matchAll(/`(\w+)`: from [^.`]*, default (\d+)/g)];
  const source = own.find((each) => each !== undefined) ?? (word && `'${word}'`);
  return [
    ...(source === undefined ? [] : [[name, evaluate(source)] as const]),
    ...members.map(([, member = '', value]) => [`${name}.${member}`, Number(value)] as const),
  ];
}

function evaluate(text: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text of our own doc comments
  const run = new Function('fromBearerHeader', `return (${text})`) as (place: typeof fromBearerHeader) => unknown;
  return run(fromBearerHeader);
}

function prefixed(prefix: string, members: object = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [prefix + name, value as unknown]));
}

describe('The page of performance', () => {
  it('and its charts are rendered from the recorded figures (npm run bench -- --render)', async () => {
    const path = '../../bench/performance/render.mjs';
    const { filesOf } = (await import(path)) as { filesOf: (data: unknown) => Promise<ReadonlyMap<URL, string>> };
    const files = await filesOf(JSON.parse(readFileSync('docs/performance.json', 'utf8')));
    expect(files.size).toBe(5);
    for (const [file, text] of files) expect(readFileSync(file, 'utf8')).toBe(text);
  }, 60_000);
});
