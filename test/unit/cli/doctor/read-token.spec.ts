import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { readToken } from '../../../../src/cli/doctor/read-token.js';

async function read(stdin: AsyncIterable<string | Uint8Array> & { isTTY?: boolean }) {
  let prompt = '';
  const stderr = { write: (text: string) => (prompt += text) };
  return { token: await readToken('-', { stdin, stderr }), prompt };
}

describe('the token on standard input', () => {
  it('can arrive in chunks that split a character', async () => {
    const bytes = Buffer.from('aé.b.c');
    expect((await read(Readable.from([bytes.subarray(0, 2), bytes.subarray(2)]))).token).toBe('aé.b.c');
  });

  it('is requested on a terminal', async () => {
    const { prompt } = await read(Object.assign(Readable.from(['a.b.c']), { isTTY: true }));
    expect(prompt).toContain('Ctrl-D');
  });

  it('is read up to a limit', async () => {
    async function* endless() {
      for (let chunks = 0; chunks < 1_000; chunks += 1) yield await Promise.resolve('x'.repeat(1_000));
      throw new Error('reads without a limit');
    }
    expect((await read(endless())).token?.length).toBeLessThan(70_000);
  });
});
