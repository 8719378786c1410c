// The application around both Express contenders.
import { loadPeer } from '../peers.mjs';

const express = loadPeer('express');

/** @param guard a middleware that calls `next` for whoever is let in. */
export async function startExpress(guard) {
  const app = express();
  app.get('/', guard, (_request, response) => response.send('ok'));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
}
