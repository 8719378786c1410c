import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';

export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

// Node refuses more than 16 KiB of headers by itself (431). Raised, so that our own limit is what is tested.
const MAX_HEADER_SIZE = 256 * 1024;

class RoomyExpressAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createServer({ maxHeaderSize: MAX_HEADER_SIZE }, this.getInstance());
  }
}

/** For what Nest does since a version: whether the installed package has that version, or a newer one. */
export function hasNest(version: string, name = '@nestjs/core'): boolean {
  const manifest = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string };
  return manifest.version.localeCompare(version, 'en', { numeric: true }) >= 0;
}

export interface RunningApp {
  readonly app: INestApplication;
  readonly url: string;
  readonly close: () => Promise<void>;
}

interface StartOptions {
  readonly logger?: LoggerService | false;
  /** Replaces providers, as an application's own tests do. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  readonly prepare?: (app: INestApplication) => unknown;
  /** Creates another adapter than that of the platform. */
  readonly adapter?: () => AbstractHttpAdapter;
}

const running = new Set<RunningApp>();

/** For `afterEach`: what was started and not closed, also by a test that failed. */
export async function closeApps(): Promise<void> {
  await Promise.all([...running].map(({ close }) => close()));
}

/** The instance of Fastify, whose hooks and routes an application adds. */
export const fastifyOf = (app: INestApplication) => (app as NestFastifyApplication).getHttpAdapter().getInstance();

/** A Nest application that listens on loopback, as in production. */
export async function startApp(
  platform: Platform,
  metadata: ModuleMetadata,
  { logger = false, override, prepare, adapter: createAdapter }: StartOptions = {},
): Promise<RunningApp> {
  const builder = Test.createTestingModule(metadata).setLogger(logger as LoggerService);
  const module = await (override?.(builder) ?? builder).compile();
  const adapter =
    platform === 'express'
      ? new RoomyExpressAdapter()
      : new FastifyAdapter({ http: { maxHeaderSize: MAX_HEADER_SIZE } });
  const app = module.createNestApplication((createAdapter?.() ?? adapter) as never, { logger });
  const prepared = prepare?.(app);
  // Not the instance of Fastify, which is a promise of its start as well.
  if (prepared instanceof Promise) await prepared;
  await app.listen(0, '127.0.0.1');
  const started = {
    app,
    url: await app.getUrl(),
    close: async () => {
      running.delete(started);
      await app.close();
    },
  };
  running.add(started);
  return started;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

/** A request as raw as HTTP allows: a header given as a list is sent as several headers. */
export function call(
  url: string,
  headers: Record<string, string | string[]> = {},
  method = 'GET',
  content = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parse(text), text });
      });
      response.on('error', reject);
    });
    request.on('error', reject).end(content);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { value };
  } catch {
    return {};
  }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
