import { isBerthError, messageOf } from '#base';
import type { Query } from '#client';
import { ExitError, type Invocation } from '../command/index.ts';
import { connectClient } from '../host/index.ts';
import { discard } from '../progress/index.ts';
import { findExtras, type NamedExtras } from './build-extras.ts';
import { readContextFlag } from './context-flag.ts';
import { PlainTrace } from './plain-trace.ts';
import { RawTrace } from './raw-trace.ts';
import { readSecretFlag } from './secret-flag.ts';
import { buildWithSession } from './session-build.ts';
import { readSshFlag } from './ssh-flag.ts';

/** Reads the flags that name them. Throws `ExitError` with buildx's texts. */
function namedExtras({ flags, terminal }: Invocation): NamedExtras {
  try {
    return {
      secrets: flags.list('secret').map((text) => readSecretFlag(text, terminal.env)),
      agents: flags.list('ssh').map(readSshFlag),
      contexts: flags.list('build-context').map(readContextFlag),
    };
  } catch (error) {
    throw new ExitError(1, `ERROR: ${messageOf(error)}\n`);
  }
}

/** Aborts on the first Ctrl-C (or SIGTERM); the second ends the process as ever. */
function interruption(): Disposable & { readonly signal: AbortSignal; readonly name: () => string } {
  const controller = new AbortController();
  let name = '';
  const stop = (signal: NodeJS.Signals): void => {
    name = signal;
    controller.abort();
    off();
  };
  const off = (): void => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return { signal: controller.signal, name: () => name, [Symbol.dispose]: off };
}

/**
 * `berth build` where the build may ask its client for secrets, agents and files; progress goes to stderr, as docker's.
 * Returns the image's id. Throws `ExitError` with docker's texts: 1 for a build that failed, 130 for one interrupted.
 */
export async function buildAsking(
  invocation: Invocation,
  options: { readonly quiet: boolean; query(dockerfile: string): Query },
): Promise<string> {
  const { flags, args, terminal, globals } = invocation;
  const { quiet, query } = options;
  const output = quiet ? discard() : terminal.stderr;
  const display = flags.string('progress') === 'rawjson' ? new RawTrace(output) : new PlainTrace(output);
  const named = namedExtras(invocation);
  using interrupted = interruption();
  try {
    const extras = await findExtras(named, terminal);
    return await buildWithSession(await connectClient(invocation), {
      place: {
        context: args[0] ?? '',
        file: flags.string('file'),
        cwd: terminal.cwd,
        stdin: terminal.stdin,
      },
      extras,
      query,
      display,
      configDir: globals.configDir,
      signal: interrupted.signal,
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      throw new ExitError(interrupted.name() === 'SIGINT' ? 130 : 143, 'ERROR: failed to build: context canceled\n');
    }
    if (isBerthError(error) && error.name === 'ApiError') throw error;
    const place = isBerthError(error) ? error.details.place : undefined;
    const failed = place === undefined ? '' : `${place}ERROR: failed to build: failed to solve: `;
    throw new ExitError(1, `${failed || 'ERROR: failed to build: '}${messageOf(error)}\n`);
  }
}
