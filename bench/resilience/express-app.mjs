// The application of the Express contenders.
import { loadPeer } from '../peers.mjs';

const express = loadPeer('express');

/** @param guard a middleware function that calls `next` for a valid token. */
export async function startExpress(guard) {
  const app = express();
  app.get('/', guard, (_request, response) => response.send('ok'));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server));
  });
}
