import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AxeResults, RunOptions } from 'axe-core';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchChromium } from '../support/chromium.js';

const SITE = 'docs/.vitepress/dist';
const PHONE = { width: 375, height: 740 };
const DESKTOP = { width: 1280, height: 900 };
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const AXE_OPTIONS: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'best-practice'],
  resultTypes: ['violations'],
  rules: Object.fromEntries(
    // The markup of the VitePress theme: its foldable sidebar, its home page and its navigation. The corner of a table may be empty.
    ['nested-interactive', 'landmark-one-main', 'region', 'empty-table-header'].map((rule) => [
      rule,
      { enabled: false },
    ]),
  ),
};

let html: ReadonlyMap<string, string>;

beforeAll(async () => {
  // VitePress fails for a link to a page that does not exist.
  await promisify(execFile)('npm', ['run', '--silent', 'docs:build'], { maxBuffer: 2 ** 24 });
  const files = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
  html = new Map(files.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(SITE, name), 'utf8')]));
}, 180_000);

/** The pages of the site, without the API reference. */
const ownPages = () =>
  [...html.keys()].filter((name) => !name.startsWith('reference/api/') && name !== '404.html').sort();

it('has a page of its own for everything that is linked, and the anchor on it', () => {
  const broken = [...html].flatMap(([name, text]) =>
    [...text.matchAll(/<a [^>]*href="([^"]*)"/g)]
      .map(([, href = '']) => href.replaceAll('&amp;', '&'))
      .filter((href) => !/^[a-z]+:/.test(href))
      .filter((href) => {
        const { pathname, hash } = new URL(href, `http://site/${name}`);
        const target = html.get(posix.normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname).slice(1));
        if (target === undefined) return true;
        return hash !== '' && !target.includes(`id="${decodeURIComponent(hash.slice(1))}"`);
      })
      .map((href) => `${name}: ${href}`),
  );
  expect(broken).toEqual([]);
  expect(html.size).toBeGreaterThan(150);
});

it('has each page in the sidebar, under a title that no other page has', () => {
  const start = html.get('quick-start.html') ?? '';
  const titles = ownPages().map((name) => /<title>(.*?)<\/title>/.exec(html.get(name) ?? '')?.[1]);
  expect(titles).toEqual([...new Set(titles)]);
  expect(
    ownPages().filter(
      (name) => name !== 'index.html' && !start.includes(`href="/${name.replace(/index\.html$/, '')}"`),
    ),
  ).toEqual([]);
});

describeInBrowser('The documentation site in a browser', () => {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const file = join(
      SITE,
      posix.normalize(pathname.endsWith('/') ? `${pathname}index.html` : decodeURIComponent(pathname)),
    );
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': CONTENT_TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  let browser: Browser;
  let page: Page;
  let url: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    browser = await launchChromium();
    page = await (await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce' })).newPage();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }, 30_000);

  it.each(['light', 'dark'] as const)(
    'has readable contrast, ordered headings and named links on each page, and fits the width of a phone (%s)',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      // The colors of dark mode come from one style sheet, so a few kinds of pages are enough.
      const kinds = ['comparison.html', 'index.html', 'quick-start.html', 'reference/errors.html'];
      const names = colorScheme === 'light' ? ownPages() : kinds;
      const problems: string[] = [];
      for (const name of names) {
        await page.setViewportSize(DESKTOP);
        await page.goto(`${url}/${name}`);
        await takeScreenshot(`${name}-${colorScheme}`);
        problems.push(...(await findProblems()).map((problem) => `${name}: ${problem}`));
        const titles = await page.locator('h1').count();
        if (titles !== 1) problems.push(`${name}: ${String(titles)} titles`);
        await page.setViewportSize(PHONE);
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (width > PHONE.width) problems.push(`${name}: ${String(width)} pixels wide`);
        if (kinds.includes(name)) await takeScreenshot(`${name}-${colorScheme}-phone`);
      }
      expect(problems).toEqual([]);
    },
    300_000,
  );

  it('finds a page by a word of its text', async () => {
    await page.setViewportSize(DESKTOP);
    await page.goto(`${url}/quick-start.html`);
    await page.locator('#local-search button').click();
    await page.locator('#localsearch-input').fill('refreshSeconds');
    await page.locator('#localsearch-list a').first().waitFor();
    await takeScreenshot('search');
    expect(await page.locator('#localsearch-list a').first().getAttribute('href')).toMatch(/options|resilience/);
  }, 60_000);

  async function findProblems(): Promise<readonly string[]> {
    await page.addScriptTag({ path: 'node_modules/axe-core/axe.min.js' });
    const { violations } = await page.evaluate(async (options: RunOptions) => {
      const { axe } = globalThis as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } };
      return axe.run(options);
    }, AXE_OPTIONS);
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${String(target)}`));
  }

  async function takeScreenshot(name: string): Promise<void> {
    const { SCREENSHOTS_DIR: folder = '' } = process.env;
    if (folder === '') return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `site-${name.replace(/\W+/g, '-')}.png`) });
  }
});
