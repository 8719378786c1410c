import { Controller, Get } from '@nestjs/common';
import {
  AccessToken,
  type AccessTokenClaims,
  CurrentUser,
  OptionalAuth,
  Public,
  type VerifiedAccessToken,
} from '../../src/index.js';

/** Every kind of route there is, by handler and by class. */
@Controller('orders')
export class OrdersController {
  @Get()
  list(@CurrentUser() user: AccessTokenClaims) {
    return { user };
  }

  @Get('sub')
  subject(@CurrentUser('sub') sub: string) {
    return { sub: sub as string | undefined };
  }

  @Get('inherited')
  inherited(@CurrentUser('constructor') value: unknown) {
    return { isUndefined: value === undefined };
  }

  @Get('token')
  token(@AccessToken() token: VerifiedAccessToken) {
    const { issuer, scopes, roles, permissions, header } = token;
    return { issuer, scopes, roles, permissions, alg: header?.alg, isWhole: token.token.split('.').length === 3 };
  }

  @Get('optional')
  @OptionalAuth()
  optional(@CurrentUser() user?: AccessTokenClaims, @AccessToken() token?: VerifiedAccessToken) {
    return { sub: user?.sub ?? 'guest', hasToken: token !== undefined };
  }

  @Get('public')
  @Public()
  public(@CurrentUser() user?: AccessTokenClaims) {
    return { user: user ?? 'nobody' };
  }
}

@Public()
@Controller('open')
export class OpenController {
  @Get()
  open() {
    return { open: true };
  }

  @OptionalAuth()
  @Get('optional')
  optional(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
  }
}

@OptionalAuth()
@Controller('half-open')
export class HalfOpenController {
  @Get()
  optional(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
  }

  @Public()
  @Get('public')
  public() {
    return { public: true };
  }
}
