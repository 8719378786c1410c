// The application around the contenders without Nest.
import { loadPeer } from '../../peers.mjs';

const express = loadPeer('express');

/** @param guards middlewares that call `next` for whoever is let in. */
export async function startExpress(...guards) {
  const app = express();
  app.get('/', ...guards, (_request, response) => response.json({ ok: true }));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
}
