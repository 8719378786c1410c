// A guard that returns true. It shows the cost of calling any guard in Nest.
import { APP_GUARD } from '@nestjs/core';
import { startNest } from '../nest-app.mjs';

class TrivialGuard {
  async canActivate() {
    return true;
  }
}

export function start({ platform }) {
  return startNest(platform, { providers: [{ provide: APP_GUARD, useClass: TrivialGuard }] });
}
