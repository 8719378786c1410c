import { AuthError, ConfigurationError, type ConfigurationProblem } from '../../src/model/errors.js';

// eslint-disable-next-line no-control-regex -- what a line of the log must not contain
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cs}/u;

/** A text that tries to control a terminal: C0, C1, bidirectional and line separators, and a lone surrogate. */
export const CONTROL_TEXT = 'a\n\u001b[2J\u009b31m\u0085\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ud800z';

export function hasControls(text: string): boolean {
  return CONTROLS.test(text);
}

/** The AuthError that this throws. Anything else that it throws, and nothing at all, fails the test. */
export function refusalOf(check: () => unknown): AuthError {
  try {
    check();
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

/** The code of the AuthError that this throws; undefined when it throws nothing. */
export function codeOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error.code;
    throw error;
  }
}

/** What a ConfigurationError lists; empty when nothing is thrown. */
export function problemsOf(resolve: () => unknown): readonly ConfigurationProblem[] {
  try {
    resolve();
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

export function pathsOf(resolve: () => unknown): readonly string[] {
  return problemsOf(resolve).map(({ path }) => path);
}
