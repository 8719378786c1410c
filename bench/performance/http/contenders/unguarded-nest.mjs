import { startNest } from '../nest-app.mjs';

export function start({ platform }) {
  return startNest(platform);
}
