/** Severity of a log line, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where a room writes what an operator may want to read. Fields are plain data; secrets never go in. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A logger that writes logfmt lines (`time=... level=... msg="..."`) through `write`, from `level` on. */
export function createLogger(level: LogLevel, write: (line: string) => void): Logger {
  const least = order.indexOf(level);
  const at =
    (severity: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (order.indexOf(severity) < least) return;
      let line = `time="${new Date().toISOString()}" level=${severity} msg=${JSON.stringify(message)}`;
      for (const [key, value] of Object.entries(fields)) {
        const text = value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
        line += ` ${key}=${/^[\w./:@-]+$/.test(text ?? '') ? text : JSON.stringify(text)}`;
      }
      write(`${line}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A logger that drops everything; for tests and tools. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
