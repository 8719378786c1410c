import { Logger } from '@nestjs/common';
import { ReportedRefusals } from '../access/reported-refusals.js';

const MAX_CLIENT_LENGTH = 128;

/** Counts, and tells the log of the first, the tenth, the hundredth … */
export function reportedRefusals(): ReportedRefusals {
  const logger = new Logger(ReportedRefusals.name);
  return new ReportedRefusals(({ code, clientId, handler, count }) => {
    // In quotation marks, so that a name with a line end in it makes no line of its own.
    const client =
      clientId === undefined
        ? 'a caller without a client id'
        : `client ${JSON.stringify(clientId.slice(0, MAX_CLIENT_LENGTH))}`;
    logger.warn(
      `Passed, since it is only reported: ${code} for ${client}${handler === undefined ? '' : ` at ${handler}`} (${String(count)} so far)`,
    );
  });
}
