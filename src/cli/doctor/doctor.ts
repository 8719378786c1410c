import { type CommandIo, EXIT, type ExitCode } from '../command-io.js';
import { diagnose, type Diagnosis } from './diagnose.js';
import type { DoctorRequest } from './doctor-request.js';
import { refuseUnset } from './given-values.js';
import { givenToken } from './given-token.js';
import { documentOf, reportOf } from './report.js';

export interface DoctorOptions extends Omit<DoctorRequest, 'token'> {
  /** `-`: from standard input; there is no other way. */
  readonly token: string | undefined;
  readonly json: boolean;
}

export async function doctor(
  { json, ...options }: DoctorOptions,
  io: CommandIo,
  hasColors: boolean,
): Promise<ExitCode> {
  refuseUnset(options);
  const diagnosis = await diagnose({ ...options, token: await givenToken(options.token, io) }, io);
  const exitCode = exitCodeOf(diagnosis);
  io.stdout.write(json ? documentOf(diagnosis, exitCode) : reportOf(diagnosis, hasColors));
  return exitCode;
}

function exitCodeOf({ rows, isReachable }: Diagnosis): ExitCode {
  if (!isReachable) return EXIT.UNREACHABLE;
  return rows.some(({ status }) => status === 'problem') ? EXIT.PROBLEMS : EXIT.OK;
}
