import { NestFactory } from '@nestjs/core';
import { BrokenModule } from '../cli-applications.js';

const app = await NestFactory.create(BrokenModule);
await app.listen(Number(process.env.PORT));
