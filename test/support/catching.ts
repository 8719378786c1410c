import { AuthError, ConfigurationError, type ConfigurationProblem } from '../../src/model/errors.js';

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
