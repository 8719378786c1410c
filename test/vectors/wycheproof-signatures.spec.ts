import { describe, expect, it } from '@jest/globals';
import { decodeCompact } from '../../src/token/jwt/compact.js';
import { codeOf } from '../support/catching.js';
import { checkJws } from '../support/signature-layer.js';
import { publishedKeys, readWycheproof, vectorsOf } from '../support/wycheproof.js';

const file = readWycheproof('json_web_signature_test');
const vectors = vectorsOf(file);

const HMAC = 'HMAC is not supported: a verifier could sign as well';
const OTHER_ALG = 'the key names PS256 and the header PS384';
const NO_ALG = 'the key names ES521, which is not an algorithm (RFC 7518: ES512)';
const NOT_CANONICAL = 'the base64url contains another character, and HMAC is not supported';

/** Every vector that is valid and that we reject. We accept no invalid vector. */
const DIFFERENCES: Record<number, { readonly comment: string; readonly code: string; readonly reason: string }> = {
  1: { comment: 'acceptsValid', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  346: { comment: 'Figure20', code: 'KEY_UNSUITABLE', reason: OTHER_ALG },
  347: { comment: 'Figure27', code: 'KEY_UNSUITABLE', reason: NO_ALG },
  348: { comment: 'Figure35', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  350: { comment: 'Figure20', code: 'KEY_UNSUITABLE', reason: OTHER_ALG },
  351: { comment: 'Figure27', code: 'KEY_UNSUITABLE', reason: NO_ALG },
  352: { comment: 'Figure35', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  357: { comment: 'ValidMac', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  358: { comment: 'ValidEdgeCaseMac', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  359: { comment: 'ValidEdgeCaseMac', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  372: { comment: 'InvalidCharacterInsertedInHeader', code: 'TOKEN_MALFORMED', reason: NOT_CANONICAL },
  373: { comment: 'InvalidCharacterInsertedInPayload', code: 'TOKEN_MALFORMED', reason: NOT_CANONICAL },
  376: { comment: 'ValidSpacesInJsonHeader', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  377: { comment: 'ValidWhiteSpaceInJsonHeader', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
};

/** The reasons for which a vector must be rejected. */
function expectedCodes({ comment, flags, group }: (typeof vectors)[number]): readonly string[] {
  if (group.public === undefined) return ['ALGORITHM_NOT_ALLOWED', 'TOKEN_MALFORMED'];
  if (flags.includes('ModifiedPadding') || flags.includes('ModifiedSignature')) return ['SIGNATURE_INVALID'];
  if (flags.includes('AlgIsNone')) return ['ALGORITHM_NOT_ALLOWED'];
  if (flags.includes('WrongPrimitive')) return ['SIGNATURE_INVALID', 'KEY_UNSUITABLE'];
  if (group.comment === 'SpecialCaseEs256') return ['SIGNATURE_INVALID'];
  if (comment.startsWith('rejectWrong')) return ['KEY_UNSUITABLE'];
  if (comment === 'rejectsModifiedHeader') return ['KEY_UNKNOWN'];
  if (comment.startsWith('rejectsSymmetryConfusion')) return ['ALGORITHM_NOT_ALLOWED'];
  const signatures = ['ModifiedSignature', 'MissingSignature', 'ModifiedPayload', 'MissingPayload', 'EmbeddedJwk'];
  return signatures.some((end) => comment.endsWith(end)) ? ['SIGNATURE_INVALID'] : ['TOKEN_MALFORMED'];
}

describe('Wycheproof, JSON Web Signature', () => {
  it('has 401 vectors', () => {
    expect(vectors).toHaveLength(401);
    expect(file.numberOfTests).toBe(401);
    expect(new Set(vectors.map(({ tcId }) => tcId)).size).toBe(401);
  });

  it.each(vectors.filter(({ tcId, result }) => result === 'valid' && !(tcId in DIFFERENCES)))(
    'accepts $tcId, $comment',
    ({ jws, group }) => {
      expect(codeOf(() => checkJws(jws, publishedKeys(group)))).toBeUndefined();
    },
  );

  it.each(vectors.filter(({ result }) => result !== 'valid'))('rejects $tcId, $comment', (vector) => {
    const code = codeOf(() => checkJws(vector.jws, publishedKeys(vector.group)));
    expect(expectedCodes(vector)).toContain(code);
  });

  it.each(Object.entries(DIFFERENCES).map(([tcId, difference]) => ({ tcId: Number(tcId), ...difference })))(
    'rejects the valid vector $tcId, $comment: $reason ($code)',
    ({ tcId, comment, code }) => {
      const vector = vectors.find((candidate) => candidate.tcId === tcId);
      if (vector === undefined) throw new Error('is no vector');
      expect(vector).toMatchObject({ comment, result: 'valid' });
      expect(codeOf(() => checkJws(vector.jws, publishedKeys(vector.group)))).toBe(code);
    },
  );

  it.each([
    [346, 'PS384'],
    [347, 'ES512'],
    [350, 'PS384'],
    [351, 'ES512'],
  ])('accepts %d if the key names %s', (tcId, alg) => {
    const vector = vectors.find((candidate) => candidate.tcId === tcId);
    if (vector === undefined) throw new Error('is no vector');
    const keys = publishedKeys(vector.group).map((jwk) => ({ ...jwk, alg }));
    expect(codeOf(() => checkJws(vector.jws, keys))).toBeUndefined();
  });

  it('has no signature that another group verifies', () => {
    const groups = file.testGroups.filter((group) => group.public !== undefined);
    // Without `kid` and `alg`, so that only the signature can be wrong.
    const bare = groups.map((group) => publishedKeys(group).map(({ kid: _kid, alg: _alg, ...jwk }) => jwk));
    for (const { jws, result, group } of vectors.filter(({ group: of }) => of.public !== undefined)) {
      const own = JSON.stringify(publishedKeys(group)[0]?.n ?? publishedKeys(group)[0]?.x);
      const others = bare.flat().filter((jwk) => JSON.stringify(jwk.n ?? jwk.x) !== own);
      if (result !== 'valid') continue;
      expect(['SIGNATURE_INVALID', 'KEY_UNSUITABLE']).toContain(codeOf(() => checkJws(jws, others)));
    }
  });

  it('has no access token, because no payload is a JSON object', () => {
    expect(vectors.filter(({ jws }) => codeOf(() => decodeCompact(jws)) !== 'TOKEN_MALFORMED')).toEqual([]);
  });
});
