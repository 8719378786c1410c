import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from './app.mjs';
import { AUDIENCE, Issuer } from './issuer.mjs';

/** Starts the issuers, applications and folders of a scenario, and removes them afterwards. */
export class Stage {
  #open = [];

  constructor(contender) {
    this.contender = contender;
  }

  async issuer(...keys) {
    const issuer = new Issuer(keys);
    this.#open.push(() => issuer.stop());
    await issuer.start();
    return issuer;
  }

  async app({ url, jwksUri }, settings = {}) {
    const app = await App.start(this.contender.name, { issuer: url, jwksUri, audience: AUDIENCE, ...settings });
    this.#open.push(() => app.stop());
    return app;
  }

  async folder() {
    const folder = await mkdtemp(join(tmpdir(), 'resilience-'));
    this.#open.push(() => rm(folder, { recursive: true }));
    return folder;
  }

  async clear() {
    for (const close of this.#open.reverse()) await close();
  }
}
