import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { givenToken } from '../../../../src/cli/doctor/given-token.js';

async function given(stdin: AsyncIterable<string | Uint8Array> & { isTTY?: boolean }) {
  let told = '';
  const stderr = { write: (text: string) => (told += text) };
  return { token: await givenToken('-', { stdin, stderr }), told };
}

describe('the token on standard input', () => {
  it.each(['a.b.c', ' a.b.c\r\n', 'Bearer a.b.c', 'authorization: bearer  a.b.c\n'])(
    'is taken out of %j',
    async (text) => {
      expect(await given(Readable.from([Buffer.from(text)]))).toEqual({ token: 'a.b.c', told: '' });
    },
  );

  it('may come in parts that cut a character', async () => {
    const bytes = Buffer.from('aé.b.c');
    expect((await given(Readable.from([bytes.subarray(0, 2), bytes.subarray(2)]))).token).toBe('aé.b.c');
  });

  it('is asked for where somebody has to type it', async () => {
    const { told } = await given(Object.assign(Readable.from(['a.b.c']), { isTTY: true }));
    expect(told).toContain('Ctrl-D');
  });

  it('is not read for ever', async () => {
    let chunks = 0;
    async function* endless() {
      for (;;) {
        chunks += 1;
        // A bound of the test's own, so that it fails instead of never ending.
        if (chunks > 1_000) throw new Error('reads for ever');
        yield await Promise.resolve('x'.repeat(1_000));
      }
    }
    expect((await given(endless())).token?.length).toBeLessThan(70_000);
  });
});
