import type { Reporter } from '#compose';
import type { Terminal } from '../command/index.ts';
import type { ComposeGlobals } from './compose-command.ts';
import { isTrue } from './is-true.ts';
import { LiveStatus } from './live-status.ts';

/** A reporter with something to tidy up at the end. */
export interface ClosingReporter extends Reporter {
  /** Writes other output to the terminal without disturbing what is shown. */
  above<T>(write: () => T): T;
  /** Makes room for other output: what is shown stays as it is. */
  close(): void;
  /** Keeps a line below all output, until it is told `undefined`; absent where nothing is drawn over. */
  keep?(line: string | undefined): void;
}

type Output = Terminal['stderr'];

function warningLine(message: string): string {
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  return `time="${time}" level=warning msg=${JSON.stringify(message)}\n`;
}

function plain(output: Output, lead: string): ClosingReporter {
  const said = new Map<string, string>();
  return {
    status: (event) => {
      // Of a layer that is being pulled only what is new is told, not how many bytes there are.
      const { resource, parent, text = '', status } = event;
      if (parent !== undefined && said.get(`${parent} ${resource}`) === text) return;
      if (parent !== undefined) said.set(`${parent} ${resource}`, text);
      output.write(` ${lead}${resource} ${text} ${parent === undefined ? status : ''}\n`);
    },
    warn: (message) => output.write(warningLine(message)),
    print: (text) => output.write(text),
    above: (write) => write(),
    close: () => undefined,
  };
}

function json(output: Output): ClosingReporter {
  return {
    status: ({ resource, text, status }) =>
      output.write(`${JSON.stringify({ id: resource, text, status: status || undefined })}\n`),
    warn: (message) => output.write(`${JSON.stringify({ level: 'warning', message })}\n`),
    print: (text) => output.write(`${JSON.stringify({ text: text.trimEnd() })}\n`),
    above: (write) => write(),
    close: () => undefined,
  };
}

/** The reporter without its statuses and what others print. */
export function warningsOnly(reporter: Pick<Reporter, 'warn'>): Reporter {
  return { status: () => undefined, warn: (message) => reporter.warn(message), print: () => undefined };
}

/** The reporter for the progress mode asked for: live on a terminal, one line an event elsewhere. */
export function statusReporter(terminal: Terminal, globals: ComposeGlobals): ClosingReporter {
  const output = isTrue(terminal.env.COMPOSE_STATUS_STDOUT) ? terminal.stdout : terminal.stderr;
  if (globals.progress === 'quiet') {
    return {
      ...warningsOnly({ warn: (message) => output.write(warningLine(message)) }),
      above: (write) => write(),
      close: () => undefined,
    };
  }
  if (globals.progress === 'json') return json(output);
  const always = globals.ansi === 'always';
  const live = globals.progress === 'tty' || (globals.progress === 'auto' && (output.isTTY === true || always));
  if (live && globals.ansi !== 'never')
    return new LiveStatus(output, { colour: always || !terminal.env.NO_COLOR, warning: warningLine });
  return plain(output, globals.dryRun ? 'DRY-RUN MODE -  ' : '');
}
