import type { LoggerService } from '@nestjs/common';

/** A logger that keeps its lines as `level: message`, except the messages of level `log` and the table of routes. */
export class LogRecorder implements LoggerService {
  readonly lines: string[] = [];
  readonly log = () => undefined;
  readonly debug = this.at('debug');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  private at(level: string) {
    return (message: unknown) => {
      if (!String(message).startsWith('Routes:')) this.lines.push(`${level}: ${String(message)}`);
    };
  }
}
