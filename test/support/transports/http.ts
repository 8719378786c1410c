import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Controller, Get, Sse } from '@nestjs/common';
import { concat, finalize, interval, map, NEVER, of, range, startWith } from 'rxjs';
import { bearer, call, type Platform, startApp } from '../app.js';
import type { AuthOptions } from '../../../src/index.js';
import { Clock, until } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import { authModule, classDoors, type Door, plainDoors, type TransportDriver } from './doors.js';

function controllers(enter: (door: string) => MethodDecorator, answer: (text: string) => unknown) {
  const [Plain, OfClass] = [plainDoors(enter, answer), classDoors(enter, answer)];
  Controller()(Plain);
  Controller()(OfClass);
  return [Plain, OfClass];
}

export function httpDriver(platform: Platform): TransportDriver {
  return {
    name: `HTTP on ${platform}`,
    async start(issuer, options) {
      const clock = new Clock();
      const imports = [authModule(issuer, clock, options)];
      const { app, url, close } = await startApp(platform, {
        imports,
        controllers: controllers(Get, (text) => ({ text })),
      });
      return {
        app,
        clock,
        close,
        async call(door, token) {
          const { body } = await call(`${url}/${door}`, token === undefined ? {} : bearer(token));
          return String(body.code ?? body.text);
        },
      };
    },
  };
}

/** How many event streams' observables were given up. */
export const ended = { count: 0 };

@Controller()
class StreamController {
  @Sse('stream')
  stream() {
    return NEVER.pipe(
      startWith({ data: 'open' }),
      finalize(() => {
        ended.count += 1;
      }),
    );
  }
}

/** Makes its stream when nobody waits for it any more. */
@Controller()
class SlowController {
  @Sse('slow')
  slow() {
    return new Promise<never>(() => undefined);
  }
}

/** Says more than the kernel holds for a reader who takes nothing, and less than what Nest gives up at (4 MiB). */
@Controller()
class FloodController {
  @Sse('flood')
  flood() {
    const much = range(0, 44).pipe(map(() => ({ data: 'x'.repeat(128 * 1024) })));
    return concat(much, interval(10).pipe(map(() => ({ data: 'more' }))));
  }
}

export function sseDriver(platform: Platform) {
  return {
    name: `server-sent events on ${platform}`,
    async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
      const clock = new Clock();
      const imports = [authModule(issuer, clock, options)];
      const doors = controllers(Sse, (text) => of({ data: text }));
      const { app, url, close } = await startApp(platform, {
        imports,
        controllers: [StreamController, SlowController, FloodController, ...doors],
      });
      return {
        app,
        clock,
        close,
        url,
        /** Where the stream never comes. */
        slow: (token: string) => call(`${url}/slow`, bearer(token)),
        async call(door: Door, token?: string) {
          const { body, text } = await call(`${url}/${door}`, token === undefined ? {} : bearer(token));
          return typeof body.code === 'string' ? body.code : (/^data: (.*)$/m.exec(text)?.[1] ?? text);
        },
        async open(token: string) {
          // Not fetch: its idle connections would keep the server from closing for seconds.
          const request = get(`${url}/stream`, { headers: bearer(token), agent: false });
          const [stream] = (await once(request, 'response')) as [IncomingMessage];
          let text = '';
          stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          const closing = once(stream, 'end');
          /** The codes of all `exception` events, once it is closed. */
          const told: string[] = [];
          await until(() => text.includes('data: open'));
          const closed = (async () => {
            await closing;
            for (const [, data] of text.matchAll(/^event: exception\ndata: (.*)\n\n/gm))
              told.push((JSON.parse(String(data)) as { code: string }).code);
            return String(told.at(-1));
          })();
          // Who leaves has the reading of the stream fail.
          closed.catch(() => undefined);
          return {
            closed,
            told,
            leave: () => {
              request.destroy();
            },
          };
        },
      };
    },
  } satisfies TransportDriver;
}
