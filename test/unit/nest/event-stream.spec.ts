import { afterEach, expect, it } from '@jest/globals';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthError } from '../../../src/model/errors.js';
import { refusalOf } from '../../../src/nest/refusals/refusal.js';
import { eventStream } from '../../../src/nest/transports/event-stream.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

it('An event stream that was closed ignores what its handler writes afterwards', async () => {
  const written = new Promise<unknown>((resolve) => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: open\n\n');
      eventStream(response as never).close(refusalOf(new AuthError('TOKEN_EXPIRED'), undefined));
      response.write('data: more\n\n', resolve);
    }).listen(0, '127.0.0.1');
  });
  await new Promise((resolve) => server?.once('listening', resolve));
  const { port } = server?.address() as AddressInfo;
  const text = await new Promise<string>((resolve, reject) => {
    get({ port, host: '127.0.0.1' }, (response) => {
      let read = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (read += chunk));
      response.on('end', () => {
        resolve(read);
      });
    }).on('error', reject);
  });
  expect(await written).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  expect(text).toMatch(/^data: open\n\nevent: exception\ndata: \{.*"code":"TOKEN_EXPIRED".*\}\n\n$/);
});
