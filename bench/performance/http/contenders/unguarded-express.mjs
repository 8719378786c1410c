import { startExpress } from '../express-app.mjs';

export function start() {
  return startExpress();
}
