import { Injectable, Module } from '@nestjs/common';

export interface Account {
  readonly id: string;
  readonly isLocked: boolean;
}

@Injectable()
export class Accounts {
  readonly all = new Map<string, Account>();

  find(sub = '') {
    return Promise.resolve(this.all.get(sub));
  }
}

@Module({ providers: [Accounts], exports: [Accounts] })
export class AccountsModule {}
