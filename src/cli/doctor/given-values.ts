import { CommandError } from '../command-io.js';
import type { DoctorRequest } from './doctor-request.js';

// `--issuer "https://$HOST/realms/shop"`, made by a script in which HOST is not set.
const UNSET = /^\s*$|(?:^|[./:@\s])(?:undefined|null|NaN)(?:$|[./:\s])|^[a-zA-Z][\w+.-]*:\/*$|^https?:\/\/[/.:]/;

/** @throws CommandError when a value is what is left of a variable that is not set: nothing said of it would be of use. */
export function refuseUnset({
  issuer,
  audience,
  jwksUri,
}: Pick<DoctorRequest, 'issuer' | 'audience' | 'jwksUri'>): void {
  const given: readonly (readonly [option: string, value: string])[] = [
    ['--issuer', issuer],
    ...(audience ?? []).map((name) => ['--audience', name] as const),
    ...(jwksUri === undefined ? [] : [['--jwks-uri', jwksUri] as const]),
  ];
  for (const [option, value] of given) {
    if (!UNSET.test(value)) continue;
    const has = value.trim() === '' ? 'is empty' : 'has an empty part, undefined or null in it';
    throw new CommandError(`${option} ${has}: a variable that it is made of may not be set.`);
  }
}
