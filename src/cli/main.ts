import { errnoOf } from '#base';
import { ExitError, type Terminal } from './command/index.ts';
import { dispatch } from './dispatch.ts';
import { errorText } from './error-text.ts';

/** Runs a command line and returns the exit code; errors are printed. */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(argv, terminal);
  } catch (error) {
    if (error instanceof ExitError) {
      terminal.stderr.write(error.message);
      return error.code;
    }
    const isBug =
      error instanceof Error &&
      (error.name === 'TypeError' || error.name === 'RangeError' || error.name === 'ReferenceError');
    terminal.stderr.write(
      isBug ? `berth: a defect of this program: ${error.stack ?? error.message}\n` : errorText(error),
    );
    return 1;
  }
}

/** The `berth` program: runs this process's command line and ends the process. */
export async function main(): Promise<void> {
  for (const output of [process.stdout, process.stderr]) {
    output.on('error', (error) => {
      if (errnoOf(error) === 'EPIPE') process.exit(141);
      throw error;
    });
  }
  const { stdout, stderr, env } = process;
  // process.stdin opens its descriptor when it is touched: only commands that read it should.
  const terminal: Terminal = {
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
  };
  const code = await runCli(process.argv.slice(2), terminal);
  process.exit(code);
}
