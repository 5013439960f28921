import { ExitError, type Terminal } from './command/index.ts';
import { errorText } from './error-text.ts';

/**
 * Does `work` for each name at once, as many at a time as there are. Prints the name (or the text that `work` returns)
 * when it is done, errors to stderr, in the order of the names; exit code 1 when one failed.
 */
export async function forEachName(
  terminal: Terminal,
  names: readonly string[],
  work: (name: string) => Promise<string | undefined | void>,
): Promise<number> {
  const running = names.map((name) =>
    work(name).then(
      (text) => ({ ok: true as const, text: text ?? `${name}\n` }),
      (error: unknown) => ({ ok: false as const, text: errorText(error), error }),
    ),
  );
  let code = 0;
  for (const outcome of running) {
    const { ok, text } = await outcome;
    if (ok) terminal.stdout.write(text);
    else {
      terminal.stderr.write(text);
      code = 1;
    }
  }
  return code;
}

/** Asks on the terminal and ends the command unless the answer is yes. */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  terminal.stdout.write(`${question} [y/N] `);
  let answer = '';
  for await (const chunk of terminal.stdin) {
    answer += String(chunk);
    if (answer.includes('\n')) break;
  }
  const yes = /^y(es)?$/i.test(answer.split('\n')[0]?.trim() ?? '');
  if (!yes) throw new ExitError(1, 'operation cancelled: confirmation not provided\n');
}
