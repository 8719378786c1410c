import { readVectors } from './vectors.js';

export type Jwk = Readonly<Record<string, unknown>>;

export interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
}

export interface Group {
  readonly comment: string;
  readonly private: Jwk | { readonly keys: readonly Jwk[] };
  readonly public?: Jwk | { readonly keys: readonly Jwk[] };
  readonly tests: readonly Vector[];
}

export interface VectorFile {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

export function readWycheproof(name: 'json_web_signature_test' | 'json_web_key_test'): VectorFile {
  return readVectors(`wycheproof/${name}.json`) as VectorFile;
}

/** The keys as an issuer would publish them; a group without public keys has secrets only. */
export function publishedKeys(group: Group): readonly Jwk[] {
  return keysOf(group.public ?? group.private);
}

export function keysOf(keys: Group['private']): readonly Jwk[] {
  return 'keys' in keys && Array.isArray(keys.keys) ? (keys.keys as readonly Jwk[]) : [keys];
}

/** Each vector with its group. */
export function vectorsOf(file: VectorFile): readonly (Vector & { readonly group: Group })[] {
  return file.testGroups.flatMap((group) => group.tests.map((vector) => ({ ...vector, group })));
}
