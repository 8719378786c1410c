import { ConfigurationError, type ConfigurationProblem } from '../model/errors.js';
import type { ResourceServerOptions } from '../options/options.js';
import { resolveOptions } from '../options/resolve-options.js';
import * as presets from '../presets.js';
import type { ProviderSetup } from './provider-setup.js';

/**
 * Checks that an application with this setup starts.
 * @throws Error that names the command line options at fault
 */
export function checkSetup(setup: ProviderSetup): void {
  try {
    resolveOptions(optionsOf(setup));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const lines = error.problems.map((problem) => `  - ${describe(problem, setup)}`);
    throw new Error(
      `No file was changed, because an application for ${setup.label} would not start with these options:\n${[...new Set(lines)].join('\n')}\nOmit the options that you do not know yet: .env.example then lists what to fill in.`,
      { cause: error },
    );
  }
}

/** Returns the options that the generated module passes to `AuthModule`, by default with the values of `.env.example`. */
export function optionsOf(
  { preset, variables, constants }: ProviderSetup,
  env = Object.fromEntries(variables.map(({ name, value }) => [name, value])),
): ResourceServerOptions {
  if (preset === 'fromEnv') return presets.fromEnv(env);
  const names = Object.fromEntries(variables.map(({ parameter, name, isList }) => [parameter, isList ? [name] : name]));
  const rest = Object.fromEntries(constants.map(({ parameter, value }) => [parameter, value]));
  const call = presets[preset] as (options: object) => ResourceServerOptions;
  return call({ ...presets.requiredEnv(names, env), ...rest });
}

function describe({ path, message }: ConfigurationProblem, { variables }: ProviderSetup): string {
  const name = /(\w+)(?:\[\d+\])?$/.exec(path)?.[1] ?? '';
  const variable = variables.find((candidate) => candidate.parameter === name || candidate.name === name);
  const option = variable?.option ?? (name === 'audience' ? 'audience' : 'issuer');
  return variable === undefined || variable.parameter === option || variable.name === name
    ? `--${option}: ${message}`
    : `--${option} (${variable.parameter}): ${message}`;
}
