import { type CommandEntry, commandTable, groups } from './command-table.ts';

/** Full names of all commands. */
export function allNames(): string[] {
  return commandTable.flatMap((entry) => entry.names);
}

/** First words that name a command or a group of commands. */
export function topNames(): string[] {
  return [...allNames().filter((name) => !name.includes(' ')), ...Object.keys(groups)];
}

/** A command that was named. */
export interface FoundCommand {
  readonly entry: CommandEntry;
  readonly name: string;
  /** How many words its name was. */
  readonly used: number;
}

/** The command that words begin with. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const used of [2, 1]) {
    const name = words.slice(0, used).join(' ');
    if (words.length < used) continue;
    const entry = commandTable.find((candidate) => candidate.names.includes(name));
    if (entry) return { entry, name, used };
  }
  return undefined;
}
