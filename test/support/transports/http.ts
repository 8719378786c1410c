import { Controller, Get, Sse } from '@nestjs/common';
import { finalize, NEVER, of, startWith } from 'rxjs';
import { bearer, call, type Platform, startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import { authModule, classDoors, plainDoors, type TransportDriver } from './doors.js';

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
      const { url, close } = await startApp(platform, { imports, controllers: controllers(Get, (text) => ({ text })) });
      return {
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

export function sseDriver(platform: Platform): TransportDriver {
  return {
    name: `server-sent events on ${platform}`,
    async start(issuer, options) {
      const clock = new Clock();
      const imports = [authModule(issuer, clock, options)];
      const doors = controllers(Sse, (text) => of({ data: text }));
      const { url, close } = await startApp(platform, { imports, controllers: [StreamController, ...doors] });
      return {
        clock,
        close,
        async call(door, token) {
          const { body, text } = await call(`${url}/${door}`, token === undefined ? {} : bearer(token));
          return typeof body.code === 'string' ? body.code : (/^data: (.*)$/m.exec(text)?.[1] ?? text);
        },
        async open(token) {
          const { body } = await fetch(`${url}/stream`, { headers: bearer(token) });
          if (body === null) throw new Error('no stream');
          const reader = body.pipeThrough(new TextDecoderStream()).getReader();
          let text = '';
          while (!text.includes('data: open')) text += (await reader.read()).value ?? '';
          const closed = (async () => {
            for (;;) {
              const { done, value } = await reader.read();
              if (done) break;
              text += value;
            }
            const told = /event: exception\ndata: (.*)/.exec(text)?.[1] ?? '{}';
            return (JSON.parse(told) as { code: string }).code;
          })();
          return { closed };
        },
      };
    },
  };
}
