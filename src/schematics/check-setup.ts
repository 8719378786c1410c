import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import type { ResourceServerOptions } from '../options/options.js';
import { resolveOptions } from '../options/resolve-options.js';
import * as presets from '../presets.js';
import type { ProviderSetup } from './providers.js';

/**
 * Starts, so to say, the application that would be written.
 *
 * @throws Error that says what is wrong with --issuer and --audience, when it would not start
 */
export function checkSetup(setup: ProviderSetup): void {
  try {
    resolveOptions(optionsOf(setup));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map((problem) => `  - ${lineOf(problem, setup)}`);
    throw new Error(
      `An application for ${setup.label} would not start with this, so nothing was changed:\n${[...new Set(lines)].join('\n')}\nLeave out what you do not know yet: .env.example says what to fill in.`,
      { cause: error },
    );
  }
}

/** What the module that is written hands to `AuthModule`, with the variables as .env.example has them. */
export function optionsOf(
  { preset, variables, constants }: ProviderSetup,
  env = Object.fromEntries(variables.map(({ name, value }) => [name, value])),
): ResourceServerOptions {
  if (preset === 'fromEnv') return presets.fromEnv(env);
  const names = Object.fromEntries(variables.map(({ parameter, name, isList }) => [parameter, isList ? [name] : name]));
  const rest = Object.fromEntries(constants.map(({ parameter, value }) => [parameter, value]));
  const call = presets[preset] as (given: object) => ResourceServerOptions;
  return call({ ...presets.requiredEnv(names, env), ...rest });
}

function lineOf({ path, message }: ConfigurationProblem, { variables }: ProviderSetup): string {
  const name = /(\w+)(?:\[\d+\])?$/.exec(path)?.[1] ?? '';
  const variable = variables.find((candidate) => candidate.parameter === name || candidate.name === name);
  const option = variable?.option ?? (name === 'audience' ? 'audience' : 'issuer');
  return variable === undefined || variable.parameter === option || variable.name === name
    ? `--${option}: ${message}`
    : `--${option} (${variable.parameter}): ${message}`;
}
