import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuthError } from '../../../../src/model/errors.js';
import { contextOf } from '../../../../src/nest/request-context.js';
import { httpTransport } from '../../../../src/nest/transports/http.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('The event stream of a handler that goes on writing', () => {
  it("is closed, and what is written after that is nobody's error", async () => {
    const errors: unknown[] = [];
    let hasWritten: () => void;
    const written = new Promise<void>((resolve) => (hasWritten = resolve));
    server = createServer((request: IncomingMessage, response: ServerResponse) => {
      const context = contextOf('http', [request, response], { controller: Map, method: () => undefined });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: open\n\n');
      httpTransport.connectionOf(context, true)?.close(new AuthError('TOKEN_EXPIRED'));
      response.write('data: more\n\n', (error) => {
        errors.push(error);
        hasWritten();
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const text = await new Promise<string>((resolve, reject) => {
      get({ port, host: '127.0.0.1' }, (response) => {
        let read = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (read += chunk));
        response.on('end', () => {
          resolve(read);
        });
      }).on('error', reject);
    });
    await written;
    expect(errors).toMatchObject([{ code: 'ERR_STREAM_WRITE_AFTER_END' }]);
    expect(text).toMatch(/^data: open\n\nevent: exception\ndata: \{.*"code":"TOKEN_EXPIRED".*\}\n\n$/);
  });
});
