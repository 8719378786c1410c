import { describe } from '@jest/globals';
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const path =
  [process.env.CHROMIUM_PATH].find(Boolean) ??
  ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
    .map((name) => `/usr/bin/${name}`)
    .find(existsSync);

const NO_CHROMIUM = 'No Chromium: set CHROMIUM_PATH, or `apt-get install chromium`.';

/**
 * Defines tests that need a browser. Without one they are skipped, which the title and standard error report; with CI=true they
 * fail.
 */
export function describeInBrowser(title: string, define: () => void): void {
  if (path !== undefined || !['', 'false'].includes(process.env.CI ?? '')) {
    describe(title, define);
    return;
  }
  // Jest does not print why a test is skipped.
  process.stderr.write(`\nSKIPPED ${title}. ${NO_CHROMIUM}\n`);
  describe.skip(`${title} [skipped: ${NO_CHROMIUM}]`, define);
}

export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  if (path === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({
    executablePath: path,
    // Containers lack what the sandbox needs and have a small /dev/shm. The browser opens only our own pages.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
}
