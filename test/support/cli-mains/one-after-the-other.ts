import { NestFactory } from '@nestjs/core';
import { AppModule, OpenModule } from '../cli-applications.js';

const api = await NestFactory.create(AppModule);
await api.listen(Number(process.env.PORT));
const admin = await NestFactory.create(OpenModule);
await admin.listen(Number(process.env.PORT));
