import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { AppModule, JobsModule } from '../cli-applications.js';

const seed = await NestFactory.create(JobsModule);
await seed.init();
await setTimeout(100);
await seed.close();
const app = await NestFactory.create(AppModule);
await app.listen(Number(process.env.PORT));
