import { describe, expect, it } from '@jest/globals';
import { isFetchableAddress } from '../../src/model/address.js';

const ALLOWED = [
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

const ALLOWED_WITH_HTTP = [
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

const REJECTED = [
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

describe('isFetchableAddress', () => {
  it.each(ALLOWED)('allows %s', (address) => {
    expect(isFetchableAddress(address, false)).toBe(true);
    expect(isFetchableAddress(address, true)).toBe(true);
  });

  it.each(ALLOWED_WITH_HTTP)('allows %s only if http is allowed', (address) => {
    expect(isFetchableAddress(address, false)).toBe(false);
    expect(isFetchableAddress(address, true)).toBe(true);
  });

  it.each(REJECTED)('rejects %j', (address) => {
    expect(isFetchableAddress(address, false)).toBe(false);
    expect(isFetchableAddress(address, true)).toBe(false);
  });
});
