import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ClientDuplexStream,
  type ClientWritableStream,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Controller, type ExecutionContext, type Type } from '@nestjs/common';
import {
  ClientProxyFactory,
  EventPattern,
  GrpcMethod,
  GrpcStreamCall,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { finalize, lastValueFrom, NEVER, startWith } from 'rxjs';
import { type AuthOptions, fromBearerHeader, CurrentUser } from '../../../src/index.js';
import { startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import { ended } from './http.js';
import { authModule, classDoors, type Door, plainDoors, type TransportDriver } from './doors.js';

function controllers(enter: (door: string) => MethodDecorator, answer: (text: string) => unknown): Type[] {
  const [Plain, OfClass] = [plainDoors(enter, answer), classDoors(enter, answer)];
  Controller()(Plain);
  Controller()(OfClass);
  return [Plain, OfClass];
}

/** Nest tells no port that the system chose, so one is asked for beforehand. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const tokenOfPayload = (context: ExecutionContext) =>
  context.getType() === 'rpc' ? context.switchToRpc().getData<{ accessToken?: string }>().accessToken : undefined;

/** What came in by events. */
export const noted: string[] = [];

@Controller()
class EventController {
  @EventPattern('noted')
  note(@CurrentUser('sub') sub: string) {
    noted.push(sub);
  }
}

export const tcpDriver = {
  name: 'a TCP microservice (hybrid)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const clock = new Clock();
    const port = await freePort();
    const microservice: MicroserviceOptions = { transport: Transport.TCP, options: { host: '127.0.0.1', port } };
    const tokenFrom = [fromBearerHeader(), tokenOfPayload];
    const { app, close } = await startApp(
      'express',
      {
        imports: [authModule(issuer, clock, { tokenFrom, ...options })],
        controllers: [
          EventController,
          ...controllers(
            (door) => MessagePattern(door),
            (text) => text,
          ),
        ],
      },
      { prepare: (hybrid) => hybrid.connectMicroservice(microservice, { inheritAppConfig: true }) },
    );
    await app.startAllMicroservices();
    const client = ClientProxyFactory.create(microservice as never);
    await client.connect();
    return {
      app,
      clock,
      async close() {
        client.close();
        await close();
      },
      async emit(accessToken?: string) {
        await lastValueFrom(client.emit('noted', { accessToken }), { defaultValue: undefined });
      },
      async call(door: Door, accessToken?: string) {
        try {
          return await lastValueFrom(client.send<string>(door, { accessToken }));
        } catch (error) {
          return (error as { code?: string }).code ?? JSON.stringify(error);
        }
      },
      /** The error as the client gets it. */
      async refusalOf(door: Door, accessToken?: string): Promise<unknown> {
        return await lastValueFrom(client.send<string>(door, { accessToken })).then(
          () => undefined,
          (error: unknown) => error,
        );
      },
    };
  },
} satisfies TransportDriver;

@Controller()
class StreamController {
  @GrpcMethod('Doors', 'Endless')
  endless() {
    return NEVER.pipe(
      startWith({ text: 'open' }),
      finalize(() => {
        ended.count += 1;
      }),
    );
  }

  @GrpcStreamCall('Doors', 'Upload')
  upload(stream: ServerReadableStream<unknown, unknown>, answer: (error: null, answer: { text: string }) => void) {
    stream
      .on('data', () => undefined)
      .on('end', () => {
        answer(null, { text: 'uploaded' });
      });
  }

  @GrpcStreamCall('Doors', 'Raw')
  raw(stream: ServerDuplexStream<unknown, { text: string }>) {
    stream.on('data', () => stream.end());
    stream.write({ text: 'open' });
  }
}

const PROTO = join(process.cwd(), 'test/support/transports/doors.proto');
const capitalized = (door: string) => door.charAt(0).toUpperCase() + door.slice(1);

type Unary = (
  question: object,
  metadata: Metadata,
  callback: (error: ServiceError | null, answer?: { text: string }) => void,
) => ClientUnaryCall;

export const grpcDriver = {
  name: 'gRPC (hybrid)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const clock = new Clock();
    const url = `127.0.0.1:${String(await freePort())}`;
    const microservice: MicroserviceOptions = {
      transport: Transport.GRPC,
      options: { package: 'doors', protoPath: PROTO, url },
    };
    const { app, close } = await startApp(
      'express',
      {
        imports: [authModule(issuer, clock, options)],
        controllers: [
          StreamController,
          ...controllers(
            (door) => GrpcMethod('Doors', capitalized(door)),
            (text) => ({ text }),
          ),
        ],
      },
      { prepare: (hybrid) => hybrid.connectMicroservice(microservice, { inheritAppConfig: true }) },
    );
    await app.startAllMicroservices();
    const { doors } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
      doors: { Doors: new (address: string, security: unknown) => Record<string, Unary> & { close(): void } };
    };
    const client = new doors.Doors(url, credentials.createInsecure());
    return {
      app,
      clock,
      async close() {
        client.close();
        await close();
      },
      /** The same handlers, with a stream that the client leaves open: what it is told when the call ends. */
      hold(door: 'Raw' | 'Upload', token: string) {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${token}`);
        return new Promise<string>((resolve) => {
          const ends = (error: ServiceError | null) => {
            resolve(String(error?.metadata.get('error-code')[0] ?? error?.message));
          };
          if (door === 'Upload') {
            (client as unknown as { Upload(sent: Metadata, callback: typeof ends): unknown }).Upload(metadata, ends);
            return;
          }
          const raw = (client as unknown as { Raw(sent: Metadata): ClientDuplexStream<object, object> }).Raw(metadata);
          raw.on('error', ends).on('data', () => undefined);
        });
      },
      /** At a handler that is given the stream itself, and one that is given what was sent, with a callback. */
      held(door: 'Raw' | 'Upload', token?: string) {
        const metadata = new Metadata();
        if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
        return new Promise<string>((resolve) => {
          const refused = (error: ServiceError) => {
            resolve(String(error.metadata.get('error-code')[0] ?? error.message));
          };
          const streams = client as unknown as {
            Raw(sent: Metadata): ClientDuplexStream<object, { text: string }>;
            Upload(
              sent: Metadata,
              callback: (error: ServiceError | null, answer?: { text: string }) => void,
            ): ClientWritableStream<object>;
          };
          if (door === 'Raw') {
            const stream = streams.Raw(metadata);
            stream.on('error', refused).on('data', ({ text }: { text: string }) => {
              stream.end();
              resolve(text);
            });
          } else {
            streams
              .Upload(metadata, (error, answer) => {
                if (error === null) resolve(String(answer?.text));
                else refused(error);
              })
              .end({});
          }
        });
      },
      async open(token: string) {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${token}`);
        const stream = (
          client as unknown as { Endless(question: object, sent: Metadata): ClientReadableStream<unknown> }
        ).Endless({}, metadata);
        const closed = new Promise<string>((resolve) => {
          stream.on('error', (error: ServiceError) => {
            resolve(String(error.metadata.get('error-code')[0]));
          });
        });
        await new Promise((resolve) => stream.once('data', resolve));
        return {
          closed,
          leave: () => {
            stream.cancel();
          },
        };
      },
      /** The status as the client gets it. */
      refusalOf: (door: Door, token?: string) =>
        new Promise<ServiceError | null>((resolve) => {
          const metadata = new Metadata();
          if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
          client[capitalized(door)]?.({}, metadata, resolve);
        }),
      call: (door: Door, token?: string) =>
        new Promise<string>((resolve) => {
          const metadata = new Metadata();
          if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
          client[capitalized(door)]?.({}, metadata, (error, answer) => {
            resolve(
              error === null ? String(answer?.text) : String(error.metadata.get('error-code')[0] ?? error.message),
            );
          });
        }),
    };
  },
} satisfies TransportDriver;
