import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { readToken } from '../../../../src/cli/doctor/doctor.js';

async function read(stdin: Readable & { isTTY?: boolean }) {
  let prompt = '';
  const stderr = { write: (text: string) => (prompt += text), hasColors: false, columns: undefined };
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
});
