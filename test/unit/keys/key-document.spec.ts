import { describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { keysIn } from '../../../src/keys/key-document.js';
import { KeySet } from '../../../src/keys/key-set.js';
import { newKey } from '../../support/local-issuer.js';
import { selfSigned } from '../../support/self-signed.js';

const key = newKey('p-256', { kid: 'a' });
const { kid: _kid, ...unnamed } = key.jwk;
const pem = createPublicKey({ key: key.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
const certificate = selfSigned('127.0.0.1').cert;
const secret = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The key ids of the usable keys, and the problems of the others. */
const read = (document: unknown) => {
  const keys = keysIn(document);
  if (keys === undefined) return undefined;
  const keySet = new KeySet(keys);
  const usable = keySet.candidates(undefined).filter(({ inputs }) => inputs.size > 0);
  return [...usable.map(({ kid }) => kid), ...keySet.problems];
};

describe('keysIn', () => {
  it.each<[string, unknown, readonly (string | undefined)[]]>([
    ['a key set', { keys: [key.jwk] }, ['a']],
    ['keys by key id', { a: unnamed, b: unnamed }, ['a', 'b']],
    ['keys by key id in a member', { keys: { a: unnamed } }, ['a']],
    ['keys whose own key id differs', { other: key.jwk }, ['a']],
    [
      'keys whose own key id is null or empty',
      { a: { ...unnamed, kid: null }, b: { ...unnamed, kid: '' } },
      ['a', 'b'],
    ],
    ['certificates by key id, as Google and Firebase publish them', { a: certificate, b: certificate }, ['a', 'b']],
    ['PEM keys by key id', { a: pem }, ['a']],
    ['a PEM key', pem, [undefined]],
    ['a PEM certificate after white space', `\n${certificate}`, [undefined]],
    ['a private PEM key, which is not used', { a: secret }, ['"a" is a private key']],
    ['a broken PEM key', { a: pem.replace('M', '') }, ['"a" fits no signature algorithm (kty, crv, alg)']],
  ])('reads %s', (_what, document, expected) => {
    expect(read(document)).toEqual(expected);
  });

  it.each<[string, unknown]>([
    ['an error', { error: 'server_error', error_description: 'try again' }],
    ['metadata', { issuer: 'https://issuer.example.com', jwks_uri: 'https://issuer.example.com/jwks' }],
    ['a text as keys', { keys: 'none' }],
    ['null as keys', { keys: null }],
    ['a list', [key.jwk]],
    ['a text', 'keys'],
    ['an empty object', {}],
  ])('finds no keys in %s', (_what, document) => {
    expect(keysIn(document)).toBeUndefined();
  });
});
