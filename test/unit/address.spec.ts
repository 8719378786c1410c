import { describe, expect, it } from '@jest/globals';
import { isFetchableAddress } from '../../src/model/address.js';

const NOBODY_ELSE_IS_ON_THE_PATH = [
  'https://issuer.example.com',
  'HTTPS://issuer.example.com/jwks?tenant=a',
  'https://10.0.0.1:8443/',
  'http://localhost',
  'http://LOCALHOST:3000/a',
  'http://127.0.0.1:3000',
  'http://127.255.255.254',
  'http://[::1]:3000',
  'http://[0:0:0:0:0:0:0:1]',
];

const SOMEBODY_MAY_BE_ON_THE_PATH = [
  'http://issuer.example.com',
  'http://10.0.0.1',
  'http://128.0.0.1',
  'http://0.0.0.0',
  'http://[::2]',
  'http://[::]',
  'http://[::ffff:10.0.0.1]',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://mylocalhost',
  'http://example.com/localhost',
  'http://example.com?127.0.0.1',
];

const NEVER = [
  '',
  'issuer.example.com',
  '//issuer.example.com',
  '/jwks',
  'https://',
  'https://user@issuer.example.com',
  'https://:password@issuer.example.com',
  'https://user:password@issuer.example.com',
  'http://localhost@issuer.example.com',
  'http://user@localhost',
  'https://issuer.example.com/#a',
  'http://localhost/#a',
  'http://127.0.0.256',
  'ftp://localhost',
  'file:///etc/passwd',
  'data:application/json,{}',
  'javascript:0',
  'wss://issuer.example.com',
  'blob:https://issuer.example.com/a',
  'urn:example:issuer',
];

describe('What may be fetched', () => {
  it.each(NOBODY_ELSE_IS_ON_THE_PATH)('is %s', (address) => {
    expect(isFetchableAddress(address, false)).toBe(true);
    expect(isFetchableAddress(address, true)).toBe(true);
  });

  it.each(SOMEBODY_MAY_BE_ON_THE_PATH)('is %s only where http is allowed', (address) => {
    expect(isFetchableAddress(address, false)).toBe(false);
    expect(isFetchableAddress(address, true)).toBe(true);
  });

  it.each(NEVER)('is never %j', (address) => {
    expect(isFetchableAddress(address, false)).toBe(false);
    expect(isFetchableAddress(address, true)).toBe(false);
  });
});
