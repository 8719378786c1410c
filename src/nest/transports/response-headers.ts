/** The parts of Node's response that are used. */
export interface WritableHead {
  getHeader(name: string): unknown;
  writeHead(...given: never[]): unknown;
}

/**
 * Calls the listener when the headers of a response are written, with a function that returns one of them. Those that are passed to
 * `writeHead` may not be in `getHeader`.
 */
export function whenWritten(response: WritableHead, listener: (headerOf: (name: string) => unknown) => void): void {
  const writeHead = response.writeHead.bind(response) as (...given: unknown[]) => unknown;
  response.writeHead = (...given: unknown[]) => {
    listener((name) => headerIn(given.at(-1), name) ?? response.getHeader(name));
    return writeHead(...given);
  };
}

/** @param headers of `writeHead`: an object, or a list of names and values. */
function headerIn(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const flat = Array.isArray(headers) ? (headers as unknown[]).flat() : Object.entries(headers).flat();
  return flat.find((_value, index) => index % 2 === 1 && String(flat[index - 1]).toLowerCase() === name);
}
