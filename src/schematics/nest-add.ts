import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addAuthModule, manualLines, openHelloWorld } from './add-auth-module.js';
import { addEndToEndTests, configureJest } from './end-to-end-tests.js';
import { findProject } from './project.js';
import { envExample, keptVariables, type ProviderSetup, setupOf } from './provider-setup.js';
import { CannotEdit } from './source-file.js';
import { type Tree, Workspace } from './workspace.js';

/** The options of schema.json. */
export interface NestAddOptions {
  readonly provider?: string;
  readonly issuer?: string;
  /** The Nest CLI converts digits to a number. */
  readonly audience?: string | number;
  readonly openRoot?: boolean;
  readonly module?: string;
  readonly project?: string;
  readonly sourceRoot?: string;
}

type Context = Readonly<Record<'logger', Record<'info' | 'warn', (message: string) => void>>>;

/**
 * The schematic of `nest add nestjs-resource-server`: adds `AuthModule` to the root module, its variables to `.env.example`, and an
 * end-to-end test. Existing code stays as it is, so a second run changes nothing.
 * @param argv the command line; its script belongs to the Nest CLI, which may be installed globally
 * @param places files from which to resolve tools; the first is the package.json of the application
 * @throws Error before a file is changed
 */
export function nestAdd(
  options: NestAddOptions,
  argv: readonly string[] = process.argv,
  places: readonly string[] = [join(process.cwd(), 'package.json'), import.meta.url, ...argv.slice(1, 2)],
): (tree: Tree, context: Context) => Promise<void> {
  return async (tree, { logger }) => {
    const { provider = 'other', issuer, audience } = options;
    const setup = setupOf(provider, withoutBlanks(issuer), readAudience(audience, argv));
    try {
      await setUpApplication(new Workspace(tree, places), options, setup, logger);
    } catch (error) {
      if (!(error instanceof CannotEdit)) throw error;
      throw new Error(
        `${error.message}. Add these lines by hand, then run the command again for the other files.\n\nThe root module:\n\n${manualLines(setup)}\n\n.env.example:\n\n${envExample('', setup)}`,
        { cause: error },
      );
    }
  };
}

async function setUpApplication(
  workspace: Workspace,
  options: NestAddOptions,
  setup: ProviderSetup,
  logger: Context['logger'],
): Promise<void> {
  const project = findProject(workspace, options);
  const { source } = project.rootModule;
  const configured = [source, ...workspace.sources(project.sourceRoot)].find((each) => each.uses('AuthModule'));
  if (configured?.uses(setup.preset) === false) {
    logger.warn(`AuthModule is already configured, but not with ${setup.preset}(). No file was changed.`);
    return;
  }
  if (configured === undefined) {
    addAuthModule(project.rootModule, setup);
    workspace.write(source.path, source.toString());
  }
  const variables = workspace.read('.env.example') ?? '';
  workspace.write('.env.example', envExample(variables, setup));
  const kept = keptVariables(variables, setup).join(' and ');
  if (kept !== '')
    workspace.manualSteps.push(
      `.env.example keeps the earlier value of ${kept}. To change it, edit .env.example and .env, and the auth-environment.ts of tests that have it.`,
    );
  const isOpen = options.openRoot === true;
  if (isOpen) openHelloWorld(workspace, project);
  configureJest(workspace, project);
  addEndToEndTests(workspace, project, setup, isOpen);
  const hasChanges = await workspace.apply();
  for (const step of workspace.manualSteps) logger.warn(step);
  if (!hasChanges) return;
  logger.info(
    'All routes now require a valid access token, except those with @Public().\n' +
      'Next: copy .env.example to .env, fill it in, and start with `nest start --env-file .env`.',
  );
}

/** The Nest CLI converts digits to a number, which changes a long id, for example of a ZITADEL project. */
function readAudience(audience: string | number | undefined, argv: readonly string[]): string | undefined {
  if (typeof audience !== 'number') return withoutBlanks(audience);
  const { values } = parseArgs({ args: [...argv], options: { audience: { type: 'string' } }, strict: false });
  if (Number(values.audience) === audience) return String(values.audience);
  if (Number.isSafeInteger(audience)) return String(audience);
  throw new Error(
    'The Nest CLI converted --audience to a number, which changed its last digits. Omit it and write it into .env.example.',
  );
}

/** A prompt without an answer returns ''. */
function withoutBlanks(answer: string | undefined): string | undefined {
  const text = answer?.trim();
  return text === '' ? undefined : text;
}
