import { messageOf } from '#base';
import {
  argumentError,
  type Command,
  commandHelp,
  ExitError,
  flagError,
  type GlobalFlags,
  program,
  type Terminal,
} from './command/index.ts';
import { type CommandEntry, commandTable, groups } from './command-table.ts';
import { allNames, findCommand, topNames } from './find-command.ts';
import { parseFlags } from './flags/index.ts';
import { globalFlags } from './global-flags.ts';
import { readGlobals } from './read-globals.ts';
import { groupHelp, rootHelp } from './root-help.ts';
import { suggest } from './suggest.ts';

function unknownCommand(words: readonly string[]): ExitError {
  const [first = '', second = ''] = words;
  if (Object.hasOwn(groups, first)) {
    const full = `${program} ${first}`;
    const hint = suggest(
      second,
      commandTable.flatMap((entry) =>
        entry.names.flatMap((name) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [])),
      ),
    );
    const meant = hint === undefined ? '' : `\nDid you mean '${full} ${hint}'?\n`;
    return new ExitError(
      1,
      `${program}: unknown command: ${full} ${second}\n${meant}\nUsage:  ${full}\n\nRun '${full} --help' for more information\n`,
    );
  }
  const hint = suggest(first, topNames());
  const meant = hint === undefined ? '' : `\nDid you mean '${program} ${hint}'?\n`;
  return new ExitError(
    1,
    `${program}: unknown command: ${program} ${first}\n${meant}\nRun '${program} --help' for more information\n`,
  );
}

async function helpFor(words: readonly string[], columns: number): Promise<string> {
  if (words.length === 0) return rootHelp(globalFlags, columns);
  const found = findCommand(words);
  if (found) {
    const { command } = await found.entry.load();
    return commandHelp(found.name, command, { names: aliasNames(found.entry), columns });
  }
  if (words.length === 1 && Object.hasOwn(groups, words[0] ?? '')) return groupHelp(words[0] ?? '');
  const topic = words.join(' ');
  const hint = suggest(topic, [...topNames(), ...allNames()]);
  const meant =
    hint === undefined ? `Run '${program} --help' for all commands` : `Did you mean '${program} help ${hint}'?`;
  throw new ExitError(1, `unknown help topic: ${topic}\n\n${meant}\n`);
}

function aliasNames(entry: CommandEntry): string[] {
  return [...entry.names.filter((name) => name.includes(' ')), ...entry.names.filter((name) => !name.includes(' '))];
}

async function runCommand(
  command: Command,
  name: string,
  call: { words: string[]; globals: GlobalFlags; terminal: Terminal; names: string[] },
): Promise<number> {
  const { terminal, globals } = call;
  const specs = command.flags ?? [];
  const parsed = (() => {
    try {
      return parseFlags(call.words, {
        specs,
        ...(command.interspersed === undefined ? {} : { interspersed: command.interspersed }),
        ...(command.checks === undefined ? {} : { checks: command.checks }),
      });
    } catch (error) {
      const refusal = flagError(name, command.usage, messageOf(error));
      throw new ExitError(command.flagErrorCode ?? refusal.code, refusal.message);
    }
  })();
  if (parsed.help) {
    terminal.stdout.write(commandHelp(name, command, { names: call.names, columns: terminal.stdout.columns ?? 80 }));
    return 0;
  }
  const count = parsed.positional.length;
  if (count < command.args.min || count > command.args.max) throw argumentError(name, command);
  return (
    (await command.run({
      flags: parsed.values,
      args: parsed.positional,
      terminal,
      globals,
    })) ?? 0
  );
}

/** Runs the command line `argv` (without the program's name) and returns the exit code. Throws what goes wrong. */
export async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const columns = terminal.stdout.columns ?? 80;
  const top = (() => {
    try {
      return parseFlags(argv, { specs: globalFlags, interspersed: false });
    } catch (error) {
      throw flagError('', '[OPTIONS] COMMAND [ARG...]', messageOf(error));
    }
  })();
  const words = top.positional;
  if (words[0] === '__complete') {
    const { complete } = await import('./completion/complete.ts');
    terminal.stdout.write(await complete(words.slice(1), terminal));
    return 0;
  }
  const globals = readGlobals(top.values, terminal.env);
  if (top.values.bool('version')) {
    const { versionLine } = await import('./product.ts');
    terminal.stdout.write(`${versionLine()}\n`);
    return 0;
  }
  const [first = ''] = words;
  if (top.help || words.length === 0 || first === 'help') {
    terminal.stdout.write(await helpFor(first === 'help' ? words.slice(1) : words, columns));
    return 0;
  }
  const found = findCommand(words);
  if (found) {
    const { command } = await found.entry.load();
    return runCommand(command, found.name, {
      words: words.slice(found.used),
      globals,
      terminal,
      names: aliasNames(found.entry),
    });
  }
  const [, second] = words;
  if (Object.hasOwn(groups, first) && (second === undefined || second === '--help' || second === '-h')) {
    terminal.stdout.write(groupHelp(first));
    return 0;
  }
  throw unknownCommand(words);
}
