import { Injectable } from '@nestjs/common';
import type { Order } from './app.module.js';

@Injectable()
export class Orders {
  readonly all = new Map<string, Order>();

  find(id: string) {
    return Promise.resolve(this.all.get(id));
  }
}
