import { Controller, Get, Module } from '@nestjs/common';
import { AdminOnly, authModule } from '../../../libs/shared/src/auth.js'; // or '@app/shared'

@Controller('invoices')
class InvoicesController {
  @Get()
  @AdminOnly()
  list() {
    return [];
  }
}

@Module({ imports: [authModule('https://billing.example.com')], controllers: [InvoicesController] })
export class BillingModule {}
