import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { JobsModule } from '../cli-applications.js';

const app = await NestFactory.create(JobsModule);
await app.init();
await setTimeout(500);
app.connectMicroservice({ options: { host: '127.0.0.1', port: Number(process.env.PORT) } });
await app.startAllMicroservices();
await app.listen(Number(process.env.PORT));
