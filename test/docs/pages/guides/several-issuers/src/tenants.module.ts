import { Module } from '@nestjs/common';
import { TenantRows } from './tenant-rows.js';
import { Tenants } from './tenants.js';

@Module({ providers: [Tenants, TenantRows], exports: [Tenants] })
export class TenantsModule {}
