// Writes the files that follow from the source: docs/reference/options.md, and the providers in the schema of `nest add`.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { PROVIDERS } from '../../dist/presets/providers.js';
import { optionsPage } from './options-page.mjs';

const pathOf = (address) => fileURLToPath(new URL(address, import.meta.url));

async function nestAddSchema(path) {
  const schema = JSON.parse(readFileSync(path, 'utf8'));
  const { provider } = schema.properties;
  const other = provider['x-prompt'].items.find(({ value }) => value === 'other');
  const items = [...PROVIDERS.map(({ name, label }) => ({ value: name, label })), other];
  provider.enum = items.map(({ value }) => value);
  provider['x-prompt'].items = items;
  return prettier.format(JSON.stringify(schema), { parser: 'json', ...(await prettier.resolveConfig(path)) });
}

const [page, schema] = [pathOf('../reference/options.md'), pathOf('../../schematics/nest-add/schema.json')];
writeFileSync(page, await optionsPage());
writeFileSync(schema, await nestAddSchema(schema));
