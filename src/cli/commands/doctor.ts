import { type Command, ExitError, noArgs } from '../command/index.ts';
import { examineHost, findingsText, thisHost } from '../doctor.ts';
import { flagTable } from '../flags/index.ts';

/** `berth doctor`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Check that this host can run containers',
  flags: flagTable('      --format string   Print as "text" or "json" (default "text")'),
  args: noArgs,
  async run({ flags, terminal }) {
    const format = flags.string('format', 'text');
    if (format !== 'text' && format !== 'json')
      throw new ExitError(1, `invalid format ${JSON.stringify(format)}: text or json\n`);
    const findings = await examineHost(thisHost);
    terminal.stdout.write(format === 'json' ? `${JSON.stringify(findings, null, 2)}\n` : findingsText(findings));
    return findings.some((finding) => finding.essential && !finding.ok) ? 1 : 0;
  },
};
