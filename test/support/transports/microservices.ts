import { once } from 'node:events';
import { join } from 'node:path';
import {
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  ServerInterceptingCall,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Controller, type ExecutionContext, type Type } from '@nestjs/common';
import {
  ClientProxyFactory,
  type CustomTransportStrategy,
  EventPattern,
  GrpcMethod,
  GrpcStreamCall,
  MessagePattern,
  type MicroserviceOptions,
  Server,
  Transport,
} from '@nestjs/microservices';
import { finalize, lastValueFrom, NEVER, startWith } from 'rxjs';
import { freePort } from '../../../demo/free-port.js';
import { type AuthOptions, CurrentUser, fromBearerHeader } from '../../../src/index.js';
import { startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import type { LocalIssuer } from '../local-issuer.js';
import {
  authModule,
  closeFirst,
  decorated,
  type HandlerName,
  handlerClasses,
  type TransportDriver,
} from './handlers.js';
import { unsubscribed } from './http.js';

/** An HTTP application that is connected to a microservice with the same guard. */
export async function startHybrid(
  issuer: LocalIssuer,
  options: Partial<AuthOptions> | undefined,
  controllers: readonly Type[],
  microservice: MicroserviceOptions,
) {
  const clock = new Clock();
  const metadata = {
    imports: [authModule(issuer, clock, options)],
    controllers: controllers.map((type) => decorated(type, Controller())),
  };
  const started = await startApp('express', metadata, {
    prepare: (app) => app.connectMicroservice(microservice, { inheritAppConfig: true }),
  });
  await started.app.startAllMicroservices();
  return { ...started, clock };
}

export const tokenInPayload = (context: ExecutionContext) =>
  context.getType() === 'rpc' ? context.switchToRpc().getData<{ accessToken?: string }>().accessToken : undefined;

/** The subjects of the events that the handler received. */
export const receivedEvents: string[] = [];

class EventController {
  @EventPattern('event')
  receive(@CurrentUser('sub') sub: string) {
    receivedEvents.push(sub);
  }
}

export const tcpDriver = {
  name: 'a TCP microservice (hybrid)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const microservice: MicroserviceOptions = {
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: await freePort() },
    };
    const handlers = handlerClasses(MessagePattern, (text) => text);
    const tokenFrom = [fromBearerHeader(), tokenInPayload];
    const started = await startHybrid(issuer, { tokenFrom, ...options }, [EventController, ...handlers], microservice);
    const client = ClientProxyFactory.create(microservice as never);
    await client.connect();
    closeFirst(started.app, client);
    /** Resolves to the response, or to the error that the client receives. */
    const send = (handler: HandlerName, accessToken?: string): Promise<unknown> =>
      lastValueFrom(client.send<string>(handler, { accessToken })).catch((error: unknown) => error);
    return {
      ...started,
      send,
      emit: async (accessToken?: string) => {
        await lastValueFrom(client.emit('event', { accessToken }), { defaultValue: undefined });
      },
      call: async (handler: HandlerName, accessToken?: string) => {
        const answer = await send(handler, accessToken);
        const { code, message } = answer as { code?: string; message?: string };
        return typeof answer === 'string' ? answer : String(code ?? message);
      },
    };
  },
} satisfies TransportDriver;

interface Response {
  readonly text: string;
}

class StreamController {
  @GrpcMethod('Handlers', 'Endless')
  endless() {
    return NEVER.pipe(
      startWith({ text: 'open' }),
      finalize(() => {
        unsubscribed.count += 1;
      }),
    );
  }

  @GrpcStreamCall('Handlers', 'Upload')
  upload(stream: ServerReadableStream<unknown, Response>, respond: (error: null, response: Response) => void) {
    stream
      .on('data', () => undefined)
      .on('end', () => {
        respond(null, { text: 'uploaded' });
      });
  }

  @GrpcStreamCall('Handlers', 'Raw')
  raw(stream: ServerDuplexStream<unknown, Response>) {
    stream.on('data', () => stream.end());
    stream.write({ text: 'open' });
  }
}

const PROTO = join(process.cwd(), 'test/support/transports/handlers.proto');
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

type Callback = (error: ServiceError | null, response?: Response) => void;

interface GrpcClient extends Record<string, unknown> {
  Endless(request: object, metadata: Metadata): ClientReadableStream<Response>;
  Raw(metadata: Metadata): ClientDuplexStream<object, Response>;
  Upload(metadata: Metadata, callback: Callback): ClientWritableStream<object>;
  close(): void;
}

/** The two handlers of `@GrpcStreamCall()`, which receive the stream itself. */
export type StreamHandler = 'Raw' | 'Upload';

function metadataOf(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const resultOf = (answer: ServiceError | Response | undefined) =>
  answer !== undefined && 'metadata' in answer
    ? String(answer.metadata.get('error-code')[0] ?? answer.message)
    : String(answer?.text);

export const grpcDriver = {
  name: 'gRPC (hybrid)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>) {
    const url = `127.0.0.1:${String(await freePort())}`;
    // An interceptor of the server wraps each call.
    const interceptors = [(_method: unknown, call: never) => new ServerInterceptingCall(call)];
    const started = await startHybrid(
      issuer,
      options,
      [
        StreamController,
        ...handlerClasses(
          (name) => GrpcMethod('Handlers', capitalized(name)),
          (text) => ({ text }),
        ),
      ],
      {
        transport: Transport.GRPC,
        options: { package: 'test', protoPath: PROTO, url, channelOptions: { interceptors } as object },
      },
    );
    const { test } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
      test: { Handlers: new (address: string, security: unknown) => GrpcClient };
    };
    const client = new test.Handlers(url, credentials.createInsecure());
    closeFirst(started.app, client);
    /** Resolves to the response, or to the status that the client receives. */
    const send = (handler: HandlerName, token?: string): Promise<ServiceError | Response | undefined> =>
      new Promise((resolve) => {
        const method = client[capitalized(handler)] as (request: object, sent: Metadata, done: Callback) => void;
        method.call(client, {}, metadataOf(token), (error, response) => {
          resolve(error ?? response);
        });
      });
    return {
      ...started,
      send,
      /** Calls a handler that receives the stream. The client leaves its stream open if `isHeld`. */
      stream: (handler: StreamHandler, token?: string, isHeld = false) =>
        new Promise<string>((resolve) => {
          const settle: Callback = (error, response) => {
            resolve(resultOf(error ?? response));
          };
          const stream = handler === 'Raw' ? client.Raw(metadataOf(token)) : client.Upload(metadataOf(token), settle);
          if (handler === 'Raw')
            stream.on('error', settle).on('data', (response: Response) => {
              if (!isHeld) settle(null, response);
            });
          if (!isHeld) stream.end({});
        }),
      open: async (token: string) => {
        const stream = client.Endless({}, metadataOf(token));
        const closed = once(stream, 'error').then(([error]) => resultOf(error as ServiceError));
        await once(stream, 'data');
        return {
          closed,
          leave: () => {
            stream.cancel();
          },
        };
      },
      call: async (handler: HandlerName, token?: string) => resultOf(await send(handler, token)),
    };
  },
} satisfies TransportDriver;

/** A microservice that is connected to nothing. A test calls its handlers with `getHandlerByPattern`. */
export class SilentStrategy extends Server implements CustomTransportStrategy {
  constructor(transport: Transport | undefined) {
    super();
    if (transport !== undefined) this.transportId = transport;
  }

  listen(callback: () => void) {
    callback();
  }

  close() {
    return undefined;
  }

  on() {
    return undefined;
  }

  unwrap(): never {
    throw new Error('nothing is there');
  }
}
