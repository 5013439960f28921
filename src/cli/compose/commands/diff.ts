import { isBerthError } from '#base';
import { changesOf, type DocumentDifference, diffWithFiles, planProject } from '#compose';
import { atMost } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';
import { plainOptions } from '../up-options.ts';

const flags = flagTable(`
  -q, --quiet   Only say by the exit code whether anything differs
`);

function print({ path, before, after }: DocumentDifference): string {
  const name = path.join('.');
  if (before === undefined) return `+ ${name}: ${JSON.stringify(after)}\n`;
  if (after === undefined) return `- ${name}: ${JSON.stringify(before)}\n`;
  return `~ ${name}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}\n`;
}

/** `berth compose diff`: exit code 1 when there is a difference, as diff(1) has it. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [REVISION]',
  short: 'Show what up would change and why, or how the files differ from a revision',
  flags,
  args: atMost(1),
  async run(invocation) {
    const { terminal, args, flags: given } = invocation;
    const { context, client } = await openProject(invocation);
    const [wanted] = args;
    const lines: string[] = [];
    if (wanted === undefined) {
      const options = { ...plainOptions(invocation, client), wait: false, dryRun: true };
      const { plan } = await planProject(context, options);
      for (const [service, reason] of Object.entries(changesOf(plan))) lines.push(`service ${service}: ${reason}\n`);
      for (const { operation, reason } of plan.steps) {
        if (operation.kind !== 'create-network' && operation.kind !== 'create-volume') continue;
        lines.push(`${operation.kind.slice('create-'.length)} ${operation.body.Name ?? ''}: ${reason}\n`);
      }
    }
    if (wanted !== undefined || lines.length > 0) {
      const { differences } = await diffWithFiles(context, wanted).catch((error: unknown) => {
        // The reasons are known without a history, too.
        if (wanted !== undefined || !isBerthError(error, 'not-implemented')) throw error;
        return { differences: [] };
      });
      lines.push(...differences.map(print));
    }
    context.reporter.close();
    if (!given.bool('quiet')) terminal.stdout.write(lines.join(''));
    return lines.length > 0 ? 1 : 0;
  },
};
