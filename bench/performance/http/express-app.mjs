// The Express application of the contenders without Nest.
import { loadPeer } from '../../peers.mjs';

const express = loadPeer('express');

/** @param guards middleware functions that call `next` for a valid token. */
export async function startExpress(...guards) {
  const app = express();
  app.get('/', ...guards, (_request, response) => response.json({ ok: true }));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
}
