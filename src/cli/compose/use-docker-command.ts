import type { Command } from '../command/index.ts';
import { parseFlags } from '../flags/index.ts';
import type { ComposeInvocation } from './compose-command.ts';

/** Runs a command of the CLI itself with the words given, as if the user had typed it. */
export async function useDockerCommand(
  invocation: ComposeInvocation,
  command: Command,
  words: readonly string[],
): Promise<number> {
  const parsed = parseFlags(words, {
    specs: command.flags ?? [],
    ...(command.interspersed === undefined ? {} : { interspersed: command.interspersed }),
  });
  return (await command.run({ ...invocation, flags: parsed.values, args: parsed.positional })) ?? 0;
}

/** Words for flags that were given on our command line and go on to another with the same names. */
export function passedFlags(invocation: ComposeInvocation, names: readonly string[]): string[] {
  const { flags } = invocation;
  return names.flatMap((name) => {
    if (!flags.changed(name)) return [];
    const list = flags.list(name);
    if (list.length > 0) return list.map((value) => `--${name}=${value}`);
    const text = flags.string(name);
    if (text !== '') return [`--${name}=${text}`];
    return [`--${name}=${flags.bool(name)}`];
  });
}
