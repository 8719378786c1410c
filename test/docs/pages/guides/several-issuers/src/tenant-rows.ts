import { Injectable } from '@nestjs/common';

export interface Tenant {
  readonly id: string;
  readonly issuer: string;
  readonly rolesClaim: string;
  readonly isLocked: boolean;
}

@Injectable()
export class TenantRows {
  readonly all: Tenant[] = [
    { id: 'acme', issuer: 'https://login.acme.example/', rolesClaim: 'groups', isLocked: false },
    { id: 'bolt', issuer: 'https://id.bolt.example', rolesClaim: 'https://bolt.example/roles', isLocked: false },
  ];

  findByIssuer(issuer: string) {
    return Promise.resolve(this.all.find((tenant) => tenant.issuer === issuer));
  }
}
