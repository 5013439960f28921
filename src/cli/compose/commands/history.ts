import { projectHistory } from '#compose';
import { noArgs } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { alignTabs } from '../../format/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openNamed } from '../open-project.ts';

const flags = flagTable(`
      --format string   Kind of output: 'table' or 'json' (default "table")
      --no-trunc        Show images in full
  -q, --quiet           Only numbers
`);

/** `berth compose history`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS]',
  short: 'Show what the project was brought to, when and by whom',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const { context } = await openNamed(invocation);
    const revisions = await projectHistory(context);
    context.reporter.close();
    if (given.bool('quiet')) {
      terminal.stdout.write(revisions.map(({ Number: number }) => `${number}\n`).join(''));
    } else if (given.string('format') === 'json') {
      terminal.stdout.write(`${JSON.stringify(revisions)}\n`);
    } else {
      const short = (id: string) => (given.bool('no-trunc') ? id : id.replace('sha256:', '').slice(0, 12));
      const lines = revisions.map(({ Number: number, Time, User, Changes, Images }) => {
        const services = Object.entries(Changes).map(([name, reason]) => {
          const image = Images[name];
          return `${name}${image === undefined ? '' : ` ${short(image)}`} (${reason})`;
        });
        return `${number}\t${Time.slice(0, 19)}Z\t${User}\t${services.join(', ')}`;
      });
      const table = alignTabs(['REVISION\tTIME\tWHO\tCHANGED', ...lines].join('\n'), { minWidth: 10, padding: 3 });
      terminal.stdout.write(`${table}\n`);
    }
  },
};
