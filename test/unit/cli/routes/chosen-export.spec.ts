import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { chosenExport } from '../../../../src/cli/routes/chosen-export.js';

@Module({ providers: [] })
class One {}

@Module({ imports: [] })
class Two {}

class Plain {
  readonly port = 3000;
}

const create = () => undefined;
const choose = (exported: Record<string, unknown>, name?: string) => chosenExport(exported, name, 'app.js');

describe('which export of a file is the application', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['the default', { default: One, AppModule: Two }, One],
    ['AppModule', { Other: One, AppModule: Two, create }, Two],
    ['the only module', { One, Plain, create, port: 3000 }, One],
    ['the only function', { Plain, create }, create],
    ['what a CommonJS file exports', { default: { __esModule: true, AppModule: One }, __esModule: true }, One],
    ['the default of a CommonJS file that was a module', { default: { __esModule: true, default: One } }, One],
  ])('%s', (_name, exported, value) => {
    expect(choose(exported).value).toBe(value);
  });

  it('is the one that was named, whatever else there is', () => {
    expect(choose({ AppModule: One, Two }, 'Two')).toEqual({ name: 'Two', kind: 'module', value: Two });
    expect(choose({ AppModule: One, create }, 'create')).toMatchObject({ kind: 'function' });
  });

  it.each<[Record<string, unknown>, string | undefined, string]>([
    [{ One, Two }, undefined, 'choose one with --export (One, Two)'],
    [{ a: create, b: () => undefined }, undefined, 'choose one with --export (a, b)'],
    [{ Plain }, undefined, 'it exports: Plain'],
    [{}, undefined, 'it exports: nothing'],
    [{ One }, 'Two', 'exports no Two. It exports: One.'],
    [{ Plain }, 'Plain', 'neither a class with @Module() nor a function'],
  ])('is said to be unclear: %p', (exported, name, message) => {
    expect(() => choose(exported, name)).toThrow(message);
  });
});
