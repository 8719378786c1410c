import { NestFactory } from '@nestjs/core';
import { AppModule } from '../cli-applications.js';

const app = await NestFactory.create(AppModule);
await app.listen(Number(process.env.PORT));
throw new Error('it listens');
