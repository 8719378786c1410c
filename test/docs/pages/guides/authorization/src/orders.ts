import { Injectable } from '@nestjs/common';

export interface Order {
  readonly id: string;
  readonly owner: string;
}

@Injectable()
export class Orders {
  readonly all = new Map<string, Order>();

  find(id: string) {
    return Promise.resolve(this.all.get(id));
  }
}
