import { flagHelp } from '../flags/index.ts';
import type { ArgumentCount, Command } from './command.ts';
import { ExitError } from './exit-error.ts';

/** The program's name in usage texts. */
export const program = 'berth';

/** The help page of one command. `names` are all full names it answers to, such as `container ls` and `ps`. */
export function commandHelp(name: string, command: Command, options: { names: string[]; columns?: number }): string {
  const lines = [`Usage:  ${program} ${name} ${command.usage}`.trimEnd(), '', command.short];
  if (options.names.length > 1) {
    lines.push('', 'Aliases:', `  ${options.names.map((other) => `${program} ${other}`).join(', ')}`);
  }
  if (command.flags?.some((flag) => !flag.hidden)) {
    lines.push('', 'Options:', flagHelp(command.flags, options.columns));
  }
  if (command.notes !== undefined) lines.push('', command.notes);
  return `${lines.join('\n')}\n`;
}

/** The error for a flag that could not be read; exit code 125 as Docker's. */
export function flagError(name: string, usage: string, message: string): ExitError {
  const full = `${program} ${name}`.trimEnd();
  return new ExitError(125, `${message}\n\nUsage:  ${full} ${usage}\n\nRun '${full} --help' for more information\n`);
}

function countText(count: ArgumentCount): string {
  const plural = (number: number) => (number === 1 ? 'argument' : 'arguments');
  if (count.max === 0) return 'accepts no arguments';
  if (count.min === count.max) return `requires ${count.min} ${plural(count.min)}`;
  if (count.max === Number.POSITIVE_INFINITY) return `requires at least ${count.min} ${plural(count.min)}`;
  if (count.min === 0) return `requires at most ${count.max} ${plural(count.max)}`;
  return `requires at least ${count.min} and at most ${count.max} ${plural(count.max)}`;
}

/** The error for too few or too many arguments; exit code 1 as Docker's. */
export function argumentError(name: string, command: Command): ExitError {
  const full = `${program} ${name}`;
  const see = command.args.max === Number.POSITIVE_INFINITY ? 'See' : 'Run';
  return new ExitError(
    1,
    `${program}: '${full}' ${countText(command.args)}\n\nUsage:  ${full} ${command.usage}\n\n${see} '${full} --help' for more information\n`,
  );
}
