import { NestFactory } from '@nestjs/core';
import { JobsModule } from '../cli-applications.js';

export async function bootstrap() {
  const app = await NestFactory.createMicroservice(JobsModule, { options: { port: Number(process.env.PORT) } });
  await app.listen();
}

void bootstrap();
