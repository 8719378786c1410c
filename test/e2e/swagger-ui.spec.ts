import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { AppModule } from '../../demo/app.module.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { DOCS_CLIENT, serveDocs } from '../../demo/docs.js';
import { describeInBrowser, launchChromium } from '../support/chromium.js';

const AUDIENCE = 'https://orders.example.com';
// For each step in the browser; a call takes milliseconds.
const PATIENCE_MS = 20_000;

describeInBrowser('the demo in a browser', () => {
  let server: AuthorizationServer;
  let app: INestApplication;
  let url = '';
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let screenshots = 0;

  beforeAll(async () => {
    server = await AuthorizationServer.start({ audiences: [AUDIENCE], docs: DOCS_CLIENT, algorithm: 'ES256' });
    const module = AppModule.for({ issuer: server.issuer, audience: AUDIENCE });
    app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication({ logger: false });
    serveDocs(app, { issuer: server.issuer, audience: AUDIENCE, apiUrl: () => url });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
    browser = await launchChromium();
  }, 60_000);

  beforeEach(openSession);
  // Also after a failure.
  afterEach(takeScreenshots);
  afterAll(async () => {
    await (browser as Browser | undefined)?.close();
    await (app as INestApplication | undefined)?.close();
    await (server as AuthorizationServer | undefined)?.stop();
  }, 30_000);

  it('signs in with authorization code and PKCE, and calls only what was granted', async () => {
    await openDocs();
    expect(await responseTo('GET', '/orders')).toMatchObject({ status: '401', code: 'TOKEN_MISSING' });

    const requests = requestsTo(context, server.issuer);
    await authorize('alice');
    const [request] = requests.filter(({ pathname }) => pathname === '/auth');
    expect(Object.fromEntries(request?.searchParams ?? [])).toMatchObject({
      response_type: 'code',
      client_id: DOCS_CLIENT.id,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      scope: 'read:orders',
      resource: AUDIENCE,
      redirect_uri: `${url}/docs/oauth2-redirect.html`,
    });

    expect(await responseTo('GET', '/orders')).toMatchObject({ status: '200', scopes: ['read:orders'] });
    expect(await responseTo('GET', '/orders/mine')).toMatchObject({ status: '200' });
    expect(await responseTo('POST', '/orders')).toMatchObject({ status: '403', code: 'SCOPE_INSUFFICIENT' });
    expect(await responseTo('GET', '/orders/health')).toMatchObject({ status: '200' });
  }, 60_000);

  it('shows a lock for operations that accept a token, and none for public ones', async () => {
    await openDocs();
    const isLocked = (method: string, path: string) => operation(method, path).locator('.authorization__btn').count();
    expect(await isLocked('GET', '/orders')).toBe(1);
    expect(await isLocked('GET', '/orders/catalogue')).toBe(1);
    expect(await isLocked('GET', '/orders/health')).toBe(0);
  }, 60_000);

  it('sends the request body of an operation that was granted', async () => {
    await openDocs();
    await authorize('bob', 'write:orders');
    expect(await responseTo('POST', '/orders')).toMatchObject({ status: '201', owner: 'bob', item: 'a lamp' });
  }, 60_000);

  /** A browser context in which no user has signed in. */
  async function openSession(): Promise<void> {
    context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    // The sign-in page requests a font from another host; the test needs no network.
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
    // The scopes of the button are selected, the others are not.
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

  /** Clicks Try it out and Execute. Returns the status and the members of the body. */
  async function responseTo(method: string, path: string): Promise<Record<string, unknown>> {
    const block = operation(method, path);
    const execute = block.getByRole('button', { name: 'Execute' });
    if ((await execute.count()) === 0) {
      await block.locator('.opblock-summary-control').click();
      await block.getByRole('button', { name: 'Try it out' }).click();
    }
    const responded = page.waitForResponse(
      (response) => response.url() === `${url}${path}` && response.request().method() === method,
    );
    await execute.click();
    const response = await responded;
    const status = block.locator('.live-responses-table .response-col_status', {
      hasText: String(response.status()),
    });
    await status.waitFor();
    const body: unknown = await response.json();
    return { ...(body as object), status: (await status.innerText()).trim().slice(0, 3) };
  }

  async function takeScreenshots(): Promise<void> {
    const { SCREENSHOTS_DIR: folder } = process.env;
    if (folder === undefined || folder === '') return;
    mkdirSync(folder, { recursive: true });
    for (const open of context.pages()) {
      screenshots += 1;
      await open.screenshot({ path: join(folder, `swagger-ui-${String(screenshots)}.png`), fullPage: true });
    }
  }
});

/** Collects the requests to an origin from now on. */
function requestsTo(context: BrowserContext, origin: string): readonly URL[] {
  const urls: URL[] = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin === origin) urls.push(url);
  });
  return urls;
}
