import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { AppModule } from '../../demo/app.module.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { DOCS_CLIENT, serveDocs } from '../../demo/docs.js';

const AUDIENCE = 'https://orders.example.com';
// For whatever waits in the browser; a call takes milliseconds.
const PATIENCE_MS = 20_000;

const chromium = findChromium();

/** `CHROMIUM_PATH`, or where Debian and others have it. */
function findChromium(): string | undefined {
  const { CHROMIUM_PATH } = process.env;
  if (CHROMIUM_PATH !== undefined && CHROMIUM_PATH !== '') return CHROMIUM_PATH;
  return [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
  ].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const WITHOUT = 'No Chromium: set CHROMIUM_PATH, or `apt-get install chromium`. Swagger UI was not tried in a browser.';
// Where everything is to be tried (CI=true) it fails instead.
const isSkipped = chromium === undefined && ['', 'false'].includes(process.env.CI ?? '');
// Past Jest, which has no word for why.
if (isSkipped) process.stderr.write(`\nSKIPPED test/e2e/swagger-ui.spec.ts. ${WITHOUT}\n`);

(isSkipped ? describe.skip : describe)(
  isSkipped ? `the demo in a browser [skipped: ${WITHOUT}]` : 'the demo in a browser',
  () => {
    let server: AuthorizationServer;
    let app: INestApplication;
    let url = '';
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let screenshots = 0;

    beforeAll(async () => {
      if (chromium === undefined) throw new Error(WITHOUT);
      server = await AuthorizationServer.start({ audiences: [AUDIENCE], docs: DOCS_CLIENT });
      const module = AppModule.for({ issuer: server.issuer, audience: AUDIENCE });
      app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication({ logger: false });
      serveDocs(app, { issuer: server.issuer, audience: AUDIENCE, apiUrl: () => url });
      await app.listen(0, '127.0.0.1');
      url = await app.getUrl();
      const playwright = await import('playwright-core');
      browser = await playwright.chromium.launch({
        executablePath: chromium,
        // Containers have neither what its sandbox needs nor a large /dev/shm; it opens nothing but our own pages.
        args: ['--no-sandbox', '--disable-dev-shm-usage'],
      });
      await beSomebodyElse();
    }, 60_000);

    afterAll(async () => {
      await (browser as Browser | undefined)?.close();
      await (app as INestApplication | undefined)?.close();
      await (server as AuthorizationServer | undefined)?.stop();
    }, 30_000);

    it('logs in with authorization code and PKCE, and calls what was granted, and nothing else', async () => {
      await keepingScreenshots(async () => {
        await openDocs();
        expect(await answerTo('GET', '/orders')).toMatchObject({ status: '401', code: 'TOKEN_MISSING' });

        const requests = askedOf(context, server.issuer);
        await authorize('alice');
        const [request] = requests.filter((asked) => asked.pathname === '/auth');
        expect(Object.fromEntries(request?.searchParams ?? [])).toMatchObject({
          response_type: 'code',
          client_id: DOCS_CLIENT.id,
          code_challenge_method: 'S256',
          code_challenge: expect.stringMatching(/^[\w-]{43}$/),
          scope: 'read:orders',
          resource: AUDIENCE,
          redirect_uri: `${url}/docs/oauth2-redirect.html`,
        });

        expect(await answerTo('GET', '/orders')).toMatchObject({ status: '200', scopes: ['read:orders'] });
        expect(await answerTo('GET', '/orders/mine')).toMatchObject({ status: '200' });
        expect(await answerTo('POST', '/orders')).toMatchObject({ status: '403', code: 'SCOPE_INSUFFICIENT' });
        expect(await answerTo('GET', '/orders/health')).toMatchObject({ status: '200' });
      });
    }, 60_000);

    it('shows a lock wherever a token is asked for, and none at what is open', async () => {
      await keepingScreenshots(async () => {
        await openDocs();
        const isLocked = (method: string, path: string) =>
          operation(method, path).locator('.authorization__btn').count();
        expect(await isLocked('GET', '/orders')).toBe(1);
        expect(await isLocked('GET', '/orders/catalogue')).toBe(1);
        expect(await isLocked('GET', '/orders/health')).toBe(0);
      });
    }, 60_000);

    it('sends what an operation takes, once that was granted', async () => {
      await beSomebodyElse();
      await keepingScreenshots(async () => {
        await openDocs();
        await authorize('bob', 'write:orders');
        expect(await answerTo('POST', '/orders')).toMatchObject({ status: '201', owner: 'bob', item: 'a lamp' });
      });
    }, 60_000);

    /** A browser that nobody has logged in with. */
    async function beSomebodyElse(): Promise<void> {
      context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE_MS);
      // The login page asks another host for a font; the test needs no network.
      await context.route(
        (address) => address.hostname !== '127.0.0.1',
        (route) => route.abort(),
      );
      page = await context.newPage();
    }

    async function openDocs(): Promise<void> {
      await page.goto(`${url}/docs`);
      await operation('GET', '/orders/health').waitFor();
    }

    async function authorize(login: string, more?: string): Promise<void> {
      await page.locator('.auth-wrapper .btn.authorize').first().click();
      const dialog = page.locator('.dialog-ux');
      // What the application asks for is ticked, the rest is not.
      expect(await dialog.locator('input[data-value="read:orders"]').isChecked()).toBe(true);
      expect(await dialog.locator('input[data-value="write:orders"]').isChecked()).toBe(false);
      if (more !== undefined) await dialog.locator(`.checkbox:has(input[data-value="${more}"]) label`).click();
      const opened = context.waitForEvent('page');
      await dialog.locator('.auth-btn-wrapper .btn.authorize').click();
      const popup = await opened;
      const closed = popup.waitForEvent('close');
      await popup.locator('input[name=login]').fill(login);
      await popup.locator('input[name=password]').fill('any');
      await popup.locator('button[type=submit]').click();
      await popup.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
      await popup.locator('button[type=submit]').click();
      await closed;
      await dialog.getByText('Logout', { exact: true }).waitFor();
      await dialog.locator('.btn-done').click();
    }

    function operation(method: string, path: string): Locator {
      const summary = page.locator(`.opblock-summary-path[data-path="${path}"]`);
      return page.locator(`.opblock-${method.toLowerCase()}`).filter({ has: summary });
    }

    /** Try it out, Execute: the status, and the members of the body. */
    async function answerTo(method: string, path: string): Promise<Record<string, unknown>> {
      const block = operation(method, path);
      const execute = block.getByRole('button', { name: 'Execute' });
      if ((await execute.count()) === 0) {
        await block.locator('.opblock-summary-control').click();
        await block.getByRole('button', { name: 'Try it out' }).click();
      }
      const answered = page.waitForResponse(
        (response) => response.url() === `${url}${path}` && response.request().method() === method,
      );
      await execute.click();
      const response = await answered;
      const status = block.locator('.live-responses-table .response-col_status', {
        hasText: String(response.status()),
      });
      await status.waitFor();
      const body: unknown = await response.json();
      return { ...(body as object), status: (await status.innerText()).trim().slice(0, 3) };
    }

    /** What everybody sees in the end, whether it failed or not. */
    async function keepingScreenshots(work: () => Promise<void>): Promise<void> {
      try {
        await work();
      } finally {
        const { SCREENSHOTS_DIR: folder } = process.env;
        if (folder !== undefined && folder !== '') {
          mkdirSync(folder, { recursive: true });
          for (const open of context.pages()) {
            screenshots += 1;
            await open.screenshot({ path: join(folder, `swagger-ui-${String(screenshots)}.png`), fullPage: true });
          }
        }
      }
    }
  },
);

/** Every address of an origin that is asked for from here on. */
function askedOf(context: BrowserContext, origin: string): readonly URL[] {
  const asked: URL[] = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin === origin) asked.push(url);
  });
  return asked;
}
