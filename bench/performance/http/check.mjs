// Checks that a contender accepts a valid token and rejects the others before it is measured.
import { within } from '../../within.mjs';
import { PATIENCE_MS } from './child.mjs';

const BODY = '{"ok":true}';
const REFUSED = [401, 403];

export async function check({ id, kind, port }, { good, stranger }) {
  const isOpen = kind === 'base';
  await expect(`${id}, a valid token`, port, good, true);
  await expect(`${id}, no token`, port, undefined, isOpen);
  await expect(`${id}, a token signed with a wrong key`, port, stranger, isOpen);
}

async function expect(what, port, token, isLetIn) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const asked = fetch(`http://127.0.0.1:${port}/`, { headers });
  const { status, body } = await within(
    PATIENCE_MS,
    asked.then(async (response) => ({ status: response.status, body: await response.text() })),
    `${what}: no answer in time`,
  );
  const isAsExpected = isLetIn ? status === 200 && body === BODY : REFUSED.includes(status);
  if (!isAsExpected) throw new Error(`${what}: unexpected answer ${status} ${body}`);
}
