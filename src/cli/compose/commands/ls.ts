import { invalid } from '#base';
import { listProjects } from '#compose';
import { noArgs } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { alignTabs } from '../../format/index.ts';
import { connectClient } from '../../host/index.ts';
import { goJson } from '../../template/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { listFormat } from '../list-format.ts';

const flags = flagTable(`
  -a, --all             Also projects of which nothing runs
      --filter filter   Only those that match: name=...
      --format string   Kind of output: 'table' or 'json' (default "table")
  -q, --quiet           Only names
`);

/** `berth compose ls`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS]',
  short: 'List projects that run',
  flags,
  args: noArgs,
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const format = listFormat(given);
    const patterns = given.list('filter').map((word) => {
      const match = /^name=(.*)$/.exec(word);
      if (!match) throw invalid(`invalid filter '${word.split('=')[0]}'`);
      return new RegExp(match[1] ?? '');
    });
    const client = await connectClient(invocation);
    const projects = (await listProjects(client, given.bool('all'))).filter(
      ({ name }) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name)),
    );
    if (given.bool('quiet')) terminal.stdout.write(projects.map(({ name }) => `${name}\n`).join(''));
    else if (format === 'json') {
      const rows = projects.map(({ name, status, configFiles }) => ({
        Name: name,
        Status: status,
        ConfigFiles: configFiles,
      }));
      terminal.stdout.write(`${goJson(rows)}\n`);
    } else {
      const lines = projects.map(({ name, status, configFiles }) => `${name}\t${status}\t${configFiles}`);
      const table = alignTabs(['NAME\tSTATUS\tCONFIG FILES', ...lines].join('\n'), { minWidth: 20, padding: 3 });
      terminal.stdout.write(`${table}\n`);
    }
  },
};
