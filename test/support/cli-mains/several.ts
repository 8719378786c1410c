import { NestFactory } from '@nestjs/core';
import { AppModule, OpenModule } from '../cli-applications.js';

const [api, admin] = await Promise.all([NestFactory.create(AppModule), NestFactory.create(OpenModule)]);
await Promise.all([api.listen(Number(process.env.PORT)), admin.listen(Number(process.env.PORT))]);
