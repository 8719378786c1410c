import { isFetchableAddress } from '../model/address.js';
import type { OptionReader } from '../options/option-reader.js';

/**
 * An address that a browser is sent to with a code or for a token: https, or http on loopback.
 * @returns what stands there, whatever was noted against it.
 */
export function readBrowserAddress(reader: OptionReader, name: string, meaning: string, allowHttp: boolean): string {
  const before = reader.problemCount;
  const address = reader.requiredString(name, meaning);
  if (reader.problemCount === before && !isFetchableAddress(address, allowHttp)) {
    reader.problem(
      name,
      'must be an https address without credentials or fragment (http for loopback only; in a closed network with insecureAllowHttp: true)',
    );
  }
  return address;
}
