import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../model/unknown-value.js';
import { keyId } from './verification-key.js';

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/** Returns whether the text starts with a key or a certificate in PEM encoding (RFC 7468). */
export function isPem(text: unknown): text is string {
  return typeof text === 'string' && text.trimStart().startsWith('-----BEGIN ');
}

/**
 * Returns the keys of a document as JSON Web Keys, or undefined if it has none. Besides a key set (RFC 7517 §5), issuers publish an object
 * of keys by key id, whose values are JSON Web Keys, PEM public keys or PEM certificates (Google, Firebase), and one PEM file (AWS).
 * @param document parsed JSON, or the text of a PEM file
 */
export function keysIn(document: unknown): readonly unknown[] | undefined {
  if (isPem(document)) return keysOfPem(document);
  if (!isJsonObject(document)) return undefined;
  const keys = Object.hasOwn(document, 'keys') ? document.keys : document;
  if (Array.isArray(keys)) return keys as readonly unknown[];
  if (!isJsonObject(keys)) return undefined;
  const named = Object.entries(keys).flatMap(([kid, key]) => {
    if (isPem(key)) return keysOfPem(key).map((jwk) => ({ ...jwk, kid }));
    return isJsonObject(key) && ('kty' in key || 'x5c' in key) ? [{ ...key, kid: keyId(key.kid) ?? kid }] : [];
  });
  return named.length === 0 ? undefined : named;
}

/**
 * Returns the keys and certificates of a PEM text as JSON Web Keys. A private key keeps its private members, so that it is
 * recognized as one. A block that cannot be read becomes an object without key type.
 */
export function keysOfPem(text: string): readonly JsonObject[] {
  return [...text.matchAll(PEM_BLOCK)].map(([block, label = '', content = '']) => {
    if (label.endsWith('CERTIFICATE')) return { x5c: [content.replace(/\s+/g, '')] };
    try {
      const key = label.endsWith('PRIVATE KEY') ? createPrivateKey(block) : createPublicKey(block);
      return key.export({ format: 'jwk' });
    } catch {
      return {};
    }
  });
}
