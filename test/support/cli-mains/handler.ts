import { NestFactory } from '@nestjs/core';
import { JobsModule } from '../cli-applications.js';

const app = await NestFactory.create(JobsModule);
await app.init();

export const handler: unknown = app.getHttpServer();
