import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { JobsModule } from '../cli-applications.js';

async function bootstrap() {
  await Promise.resolve('secrets of a vault');
  const app = await NestFactory.create(JobsModule, new FastifyAdapter(), { logger: ['error'] });
  app.connectMicroservice(
    { options: { host: '127.0.0.1', port: Number(process.env.PORT) } },
    { inheritAppConfig: true },
  );
  await app.startAllMicroservices();
  app.setGlobalPrefix('api');
  await app.listen(Number(process.env.PORT));
}

void bootstrap();
