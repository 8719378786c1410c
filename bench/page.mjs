// Writes generated tables into a page of the documentation.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

export function tableOf(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Formats the text with the Prettier configuration of the file. */
export async function formatted(file, text) {
  return format(text, { ...(await resolveConfig(file)), filepath: fileURLToPath(file) });
}

export async function writeBlocks(page, blocks) {
  await writeFile(page, await withBlocks(page, blocks));
}

/** Returns the page with the text between `<!-- name -->` and `<!-- /name -->` replaced for each block. */
export async function withBlocks(page, blocks) {
  let text = await readFile(page, 'utf8');
  for (const [name, markdown] of Object.entries(blocks)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [before, after] = [text.indexOf(start), text.indexOf(end)];
    if (before < 0 || after < before) throw new Error(`${page.pathname} does not contain ${start} … ${end}`);
    text = `${text.slice(0, before + start.length)}\n\n${markdown}\n${text.slice(after)}`;
  }
  return formatted(page, text);
}
