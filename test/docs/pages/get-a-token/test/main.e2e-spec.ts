import { expect, it } from '@jest/globals';
import { start } from '../src/main.js';

it('starts the application with an issuer, whose token it accepts', async () => {
  process.env.PORT = '0';
  const { app, issuer, token } = await start();
  const response = await fetch(`${await app.getUrl()}/orders/mine`, { headers: { authorization: `Bearer ${token}` } });
  expect(await response.json()).toEqual({ owner: 'alice' });
  await app.close();
  await issuer.close();
});
