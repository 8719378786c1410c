/** An audience that was asked for, and the same in the token but for its spelling. */
export interface NearAudience {
  readonly asked: string;
  readonly named: string;
}

/** The first of those asked for that the token names with another slash at its end, another case or another scheme. */
export function nearAudience(asked: readonly string[], named: readonly string[]): NearAudience | undefined {
  for (const one of asked) {
    const near = named.find((other) => other !== one && plain(other) === plain(one));
    if (near !== undefined && plain(near) !== '') return { asked: one, named: near };
  }
  return undefined;
}

function plain(audience: string): string {
  return audience
    .trim()
    .toLowerCase()
    .replace(/^[a-z][a-z\d+.-]*:\/\//, '')
    .replace(/\/+$/, '');
}
