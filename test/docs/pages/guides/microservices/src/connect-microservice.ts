import type { INestApplication } from '@nestjs/common';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';

/** Call it in `main.ts`, before `app.startAllMicroservices()`. */
export function connectMicroservice(app: INestApplication, port = 3001): void {
  app.connectMicroservice<MicroserviceOptions>(
    { transport: Transport.TCP, options: { port } },
    { inheritAppConfig: true }, // otherwise Nest calls no guard
  );
}
