import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Controller, Get, Sse } from '@nestjs/common';
import { concat, finalize, interval, map, NEVER, of, range, startWith } from 'rxjs';
import { bearer, call, type Platform, startApp } from '../app.js';
import type { AuthOptions } from '../../../src/index.js';
import { Clock } from '../guarded-app.js';
import { until } from '../until.js';
import type { LocalIssuer } from '../local-issuer.js';
import { authModule, decorated, type HandlerName, handlerClasses, type TransportDriver } from './handlers.js';

const headersOf = (token: string | undefined) => (token === undefined ? {} : bearer(token));

export function httpDriver(platform: Platform): TransportDriver {
  return {
    name: `HTTP on ${platform}`,
    async start(issuer, options) {
      const clock = new Clock();
      const controllers = handlerClasses(Get, (text) => ({ text })).map((type) => decorated(type, Controller()));
      const started = await startApp(platform, { imports: [authModule(issuer, clock, options)], controllers });
      return {
        ...started,
        clock,
        call: async (handler, token) => {
          const { body } = await call(`${started.url}/${handler}`, headersOf(token));
          return String(body.code ?? body.text ?? body.message);
        },
      };
    },
  };
}

/** The number of response observables that Nest has unsubscribed from. */
export const unsubscribed = { count: 0 };

@Controller()
class StreamController {
  @Sse('stream')
  stream() {
    return NEVER.pipe(
      startWith({ data: 'open' }),
      finalize(() => {
        unsubscribed.count += 1;
      }),
    );
  }

  /** Never creates its stream. */
  @Sse('slow')
  slow() {
    return new Promise<never>(() => undefined);
  }

  /** Sends more than the kernel buffers for a client that does not read, and less than Nest's limit of 4 MiB. */
  @Sse('flood')
  flood() {
    const chunks = range(0, 44).pipe(map(() => ({ data: 'x'.repeat(128 * 1024) })));
    return concat(chunks, interval(10).pipe(map(() => ({ data: 'more' }))));
  }
}

export function sseDriver(platform: Platform) {
  return {
    name: `server-sent events on ${platform}`,
    async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
      const clock = new Clock();
      const handlers = handlerClasses(Sse, (text) => of({ data: text })).map((type) => decorated(type, Controller()));
      const started = await startApp(platform, {
        imports: [authModule(issuer, clock, options)],
        controllers: [StreamController, ...handlers],
      });
      const { url } = started;
      return {
        ...started,
        clock,
        /** Calls the handler whose stream is never created. */
        slow: (token: string) => call(`${url}/slow`, bearer(token)),
        call: async (handler: HandlerName, token?: string) => {
          const { body, text } = await call(`${url}/${handler}`, headersOf(token));
          return String(body.code ?? /^data: (.*)$/m.exec(text)?.[1] ?? body.message);
        },
        open: async (token: string) => {
          // Not fetch: its idle connections would keep the server from closing for seconds.
          const request = get(`${url}/stream`, { headers: bearer(token), agent: false });
          const [stream] = (await once(request, 'response')) as [IncomingMessage];
          let text = '';
          stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          const ended = once(stream, 'end');
          await until(() => text.includes('data: open'));
          /** The codes of all `exception` events. */
          const codes = ended.then(() =>
            Array.from(text.matchAll(/^event: exception\ndata: .*"code":"(\w+)".*\n\n/gm), ([, code]) => code),
          );
          const closed = codes.then((received) => String(received.at(-1)));
          // Reading fails if the client leaves.
          closed.catch(() => undefined);
          return {
            closed,
            codes,
            leave: () => void request.destroy(),
          };
        },
      };
    },
  } satisfies TransportDriver;
}
