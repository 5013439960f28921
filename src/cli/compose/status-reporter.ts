import type { Reporter, StatusEvent } from '#compose';
import type { Terminal } from '../command/index.ts';
import type { ComposeGlobals } from './compose-command.ts';
import { isTrue } from './is-true.ts';
import { LiveStatus } from './live-status.ts';

/** A reporter with something to tidy up at the end. */
export interface ClosingReporter extends Reporter {
  /** Makes room for other output: what is shown stays as it is. */
  close(): void;
}

type Output = Terminal['stderr'];

function warningLine(message: string): string {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return `time="${time}" level=warning msg=${JSON.stringify(message)}\n`;
}

function plain(output: Output, lead: string): ClosingReporter {
  return {
    status: ({ resource, text = '', status }: StatusEvent) => output.write(` ${lead}${resource} ${text} ${status}\n`),
    warn: (message) => output.write(warningLine(message)),
    close: () => undefined,
  };
}

function json(output: Output): ClosingReporter {
  return {
    status: ({ resource, text, status }) =>
      output.write(`${JSON.stringify({ id: resource, text, status: status || undefined })}\n`),
    warn: (message) => output.write(`${JSON.stringify({ level: 'warning', message })}\n`),
    close: () => undefined,
  };
}

/** The reporter without its statuses. */
export function warningsOnly(reporter: Reporter): Reporter {
  return { status: () => undefined, warn: (message) => reporter.warn(message) };
}

/** The reporter for the progress mode asked for: live on a terminal, one line an event elsewhere. */
export function statusReporter(terminal: Terminal, globals: ComposeGlobals): ClosingReporter {
  const output = isTrue(terminal.env.COMPOSE_STATUS_STDOUT) ? terminal.stdout : terminal.stderr;
  if (globals.progress === 'quiet') {
    return { status: () => undefined, warn: (message) => output.write(warningLine(message)), close: () => undefined };
  }
  if (globals.progress === 'json') return json(output);
  const live = globals.progress === 'tty' || (globals.progress === 'auto' && output.isTTY === true);
  if (live && globals.ansi !== 'never') return new LiveStatus(output, warningLine);
  return plain(output, globals.dryRun ? 'DRY-RUN MODE -  ' : '');
}
