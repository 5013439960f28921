import { messageOf } from '#base';
import { commandHelp, ExitError, flagError, type Invocation, program } from '../command/index.ts';
import { type FlagSpec, flagHelp, flagTable, parseFlags } from '../flags/index.ts';
import { suggest } from '../suggest.ts';
import type { ComposeCommand, ComposeGlobals } from './compose-command.ts';
import { composeFlags, deprecations, readComposeGlobals } from './compose-flags.ts';
import { composeTable } from './compose-table.ts';

const usage = '[OPTIONS] COMMAND';

/** The help page of `compose` itself. */
function composeHelp(columns: number): string {
  const lines = composeTable
    .filter(({ hidden }) => hidden !== true)
    .map(({ name, short }) => `  ${name.padEnd(11)} ${short}`);
  return [
    `Usage:  ${program} compose ${usage}`,
    '',
    'Define and run applications of several containers',
    '',
    'Options:',
    flagHelp(composeFlags, columns),
    '',
    'Commands:',
    ...lines,
    '',
    `Run '${program} compose COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}

const dryRunFlag = flagTable('      --dry-run   Say what would be done, and why, and do nothing');

function flagsOf(command: ComposeCommand): readonly FlagSpec[] {
  const own = command.flags ?? [];
  return own.some(({ name }) => name === 'dry-run') ? own : [...own, ...dryRunFlag];
}

async function runSubcommand(
  name: string,
  command: ComposeCommand,
  call: { invocation: Invocation; words: string[]; compose: ComposeGlobals },
): Promise<number> {
  const { invocation, words, compose } = call;
  const { terminal } = invocation;
  const full = `compose ${name}`;
  const specs = flagsOf(command);
  const described = { ...command, flags: specs, run: async () => undefined };
  const parsed = (() => {
    try {
      return parseFlags(words, {
        specs,
        ...(command.interspersed === undefined ? {} : { interspersed: command.interspersed }),
        ...(command.checks === undefined ? {} : { checks: command.checks }),
      });
    } catch (error) {
      const refusal = flagError(full, command.usage, messageOf(error));
      throw new ExitError(1, refusal.message);
    }
  })();
  if (parsed.help) {
    terminal.stdout.write(commandHelp(full, described, { names: [], columns: terminal.stdout.columns ?? 80 }));
    return 0;
  }
  const count = parsed.positional.length;
  if (count < command.args.min || count > command.args.max) throw countError(full, described, count);
  const code = await command.run({
    ...invocation,
    flags: parsed.values,
    args: parsed.positional,
    compose: { ...compose, dryRun: compose.dryRun || parsed.values.bool('dry-run') },
  });
  return code ?? 0;
}

/** Too few or too many arguments, in the words docker compose has for it, and how the command is used. */
function countError(full: string, command: Pick<ComposeCommand, 'usage' | 'args'>, count: number): ExitError {
  const { min, max } = command.args;
  const text =
    max === 0
      ? `accepts no arguments, received ${count}`
      : count < min && max !== min
        ? max === Number.POSITIVE_INFINITY
          ? `requires at least ${min} arg(s), only received ${count}`
          : `accepts between ${min} and ${max} arg(s), received ${count}`
        : min === max
          ? `accepts ${min} arg(s), received ${count}`
          : `accepts at most ${max} arg(s), received ${count}`;
  const use = `Usage:  ${program} ${full} ${command.usage}`;
  return new ExitError(1, `${text}\n\n${use}\n\nRun '${program} ${full} --help' for more information\n`);
}

/** Runs `compose` with the words that follow it; returns the exit code. */
export async function runCompose(invocation: Invocation): Promise<number> {
  const { terminal, args, flags } = invocation;
  const columns = terminal.stdout.columns ?? 80;
  const [first, ...rest] = args;
  const name = flags.bool('version') ? 'version' : first === 'help' ? rest[0] : first;
  if (name === undefined) {
    terminal.stdout.write(composeHelp(columns));
    return 0;
  }
  const entry = composeTable.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const hint = suggest(
      name,
      composeTable.map((candidate) => candidate.name),
    );
    const meant = hint === undefined ? '' : `\nDid you mean '${program} compose ${hint}'?\n`;
    throw new ExitError(
      1,
      `${program}: unknown command: ${program} compose ${name}\n${meant}\nRun '${program} compose --help' for more information\n`,
    );
  }
  terminal.stderr.write(deprecations(flags));
  const { command } = await entry.load();
  const words = first === 'help' ? ['--help'] : first === name ? rest : [];
  return runSubcommand(name, command, { invocation, words, compose: readComposeGlobals(flags, terminal.env) });
}
