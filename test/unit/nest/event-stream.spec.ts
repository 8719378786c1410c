import { afterEach, expect, it } from '@jest/globals';
import { createServer, get, type Server } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
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
      eventStream(response).close(refusalOf(new AuthError('TOKEN_EXPIRED'), {}));
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

it('An event stream of HTTP/2 that is closed leaves the other streams of its connection open', async () => {
  const http2 = createHttp2Server((request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: open\n\n');
    if (request.url === '/closed') eventStream(response).close(refusalOf(new AuthError('TOKEN_EXPIRED'), {}));
    else setTimeout(() => response.end('data: end\n\n'), 1_200);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http2.once('listening', resolve));
  const client = connect(`http://127.0.0.1:${String((http2.address() as AddressInfo).port)}`);
  const read = (path: string) =>
    new Promise<string>((resolve) => {
      let text = '';
      const stream = client.request({ ':path': path }).setEncoding('utf8');
      stream
        .on('data', (chunk: string) => (text += chunk))
        .on('close', () => {
          resolve(text);
        });
    });
  const [other, closed] = await Promise.all([read('/other'), read('/closed')]);
  expect(other).toBe('data: open\n\ndata: end\n\n');
  expect(closed).toContain('"code":"TOKEN_EXPIRED"');
  client.close();
  http2.close();
});
