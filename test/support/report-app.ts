import { afterEach } from '@jest/globals';
import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import type { TestingModuleBuilder } from '@nestjs/testing';
import {
  AuthModule,
  type AuthModuleExtras,
  type AuthOptions,
  ConfigurationError,
  type ReportedRoute,
  routeReport,
} from '../../src/index.js';
import { closeApps, type Platform, startApp } from './app.js';

afterEach(closeApps);

/** Keeps the lines that `AuthModule` logs at start. */
export class StartRecorder implements LoggerService {
  private readonly lines: { level: string; text: string }[] = [];
  readonly log = this.at('log');
  readonly debug = this.at('debug');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  private at(level: string) {
    return (message: unknown, ...rest: unknown[]) => {
      if (rest.at(-1) === 'AuthModule') this.lines.push({ level, text: String(message) });
    };
  }

  of(level: 'log' | 'debug' | 'warn'): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }
}

export interface Given extends ModuleMetadata {
  readonly platform?: Platform;
  readonly options?: Partial<AuthOptions & AuthModuleExtras>;
  readonly prepare?: (app: INestApplication) => void;
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

export function authModule(options: Given['options'] = {}) {
  const issuer = { issuer: 'https://issuer.example.com', audience: 'https://api.example.com' };
  return AuthModule.forRoot({ ...issuer, ...options } as AuthOptions);
}

/** Starts an application and returns its report. */
export async function startReported({
  platform = 'express',
  options,
  prepare,
  override,
  imports = [],
  ...rest
}: Given) {
  const logger = new StartRecorder();
  const metadata = { imports: [authModule(options), ...imports], ...rest };
  const { app, url } = await startApp(platform, metadata, { logger, prepare, override });
  return { app, url, logger, ...routeReport(app) };
}

/** `GET /orders guarded`. */
export function accesses(routes: readonly ReportedRoute[]): readonly string[] {
  return routes.map(({ kind, pattern, access }) => `${kind} ${pattern} ${access}`);
}

/** The problems of the ConfigurationError that prevents the start. */
export async function startProblems(given: Given): Promise<readonly string[]> {
  try {
    await startReported(given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ path, message }) => `${path} ${message}`);
    throw error;
  }
  return [];
}
