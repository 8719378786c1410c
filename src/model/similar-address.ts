/** Returns whether two addresses differ only in what is often mistyped: the scheme, the case or a trailing slash. */
export function isSimilarAddress(one: string, other: string): boolean {
  return one !== other && normalize(one) === normalize(other) && normalize(one) !== '';
}

/** Describes the trailing slash that the wrong address needs. Returns undefined if the addresses differ otherwise. */
export function slashHint(wrong: string, right: string): string | undefined {
  if (right === `${wrong}/`) return 'with the trailing slash';
  return wrong === `${right}/` ? 'without the trailing slash' : undefined;
}

/** Returns whether the replacement would give up https, so that anyone on the network path could answer for the address. */
export function isDowngrade(from: string, to: string): boolean {
  return /^https:/i.test(from) && !/^https:/i.test(to);
}

function normalize(address: string): string {
  const text = address.trim();
  // `URL` removes the default port. A name that is no web address, such as `api://orders`, has no port.
  const url = /^https?:/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const plain = url === undefined || `${url.search}${url.hash}` !== '' ? text : url.href;
  return plain
    .toLowerCase()
    .replace(/^[a-z][a-z\d+.-]*:\/\//, '')
    .replace(/\/+$/, '');
}
