import { program } from './command/index.ts';
import { commandTable, groups } from './command-table.ts';
import { type FlagSpec, flagHelp } from './flags/index.ts';

function rows(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(11, ...pairs.map(([name]) => name.length)) + 1;
  return pairs.map(([name, short]) => `  ${name.padEnd(width)}${short}`).join('\n');
}

/** The page of `berth --help`. */
export function rootHelp(flags: readonly FlagSpec[], columns: number): string {
  const pick = (section: 'common' | 'other') =>
    commandTable.flatMap((entry) => {
      const name = entry.names.find((candidate) => !candidate.includes(' '));
      return name !== undefined && entry.section === section ? [[name, entry.short] as const] : [];
    });
  return `Usage:  ${program} [OPTIONS] COMMAND

Containers, images and builds: a Docker-compatible platform

Common Commands:
${rows(pick('common'))}

Management Commands:
${rows(Object.entries(groups))}

Commands:
${rows(pick('other'))}

Global Options:
${flagHelp(flags, columns)}

Run '${program} COMMAND --help' for more information on a command.
`;
}

/** The page of a word that groups commands, such as `berth container`. */
export function groupHelp(group: string): string {
  const members = commandTable
    .flatMap((entry) => {
      const name = entry.names.find((candidate) => candidate.startsWith(`${group} `));
      return name === undefined ? [] : [[name.slice(group.length + 1), entry.short] as const];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `Usage:  ${program} ${group} COMMAND

${groups[group]}

Commands:
${rows(members)}

Run '${program} ${group} COMMAND --help' for more information on a command.
`;
}
