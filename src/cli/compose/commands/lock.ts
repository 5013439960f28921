import { rename, writeFile } from 'node:fs/promises';
import { formatLock, type ImageLock, lockFilePath, lockImages } from '#compose';
import { atLeast, ExitError } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import { readConfigFile } from '../../host/index.ts';
import { credentialsFor, readImageName, registryKey } from '../../progress/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject, readProjectLock } from '../open-project.ts';

const flags = flagTable(`
      --check    Only say whether the file is complete
      --update   Ask for the digests of all images, or those of the services named, again
`);

/** `berth compose lock`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Hold images at the digests they have now',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, globals, compose } = invocation;
    const { context, client } = await openProject(invocation, [], { lock: 'ignore' });
    const { project } = context;
    context.reporter.close();
    if (args.length > 0 && !given.bool('update')) throw new ExitError(1, 'name services only with --update\n');
    const held = (await readProjectLock(project)) ?? {};
    const { lock, unlocked } = await lockImages(client, project, {
      held,
      update: given.bool('update') ? args : undefined,
      remote: async (image) => {
        const { registry } = readImageName(image);
        const auth = await credentialsFor(readConfigFile(globals.configDir), registryKey(registry));
        return (await client.images.remote(image, auth)).Descriptor.digest;
      },
    });
    for (const image of unlocked) {
      terminal.stderr.write(`${image} is only on this engine and was not locked: push it to a registry first\n`);
    }
    const changes = changedLines(held, lock);
    terminal.stdout.write(changes.join(''));
    if (given.bool('check')) return changes.length === 0 ? 0 : 1;
    if (compose.dryRun || changes.length === 0) return 0;
    const path = lockFilePath(project);
    await writeFile(`${path}.new`, formatLock(lock));
    await rename(`${path}.new`, path);
    return 0;
  },
};

function changedLines(before: ImageLock, after: ImageLock): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before[name], after[name]];
    if (old === now) return [];
    if (old === undefined) return [`+ ${name} ${now}\n`];
    return [now === undefined ? `- ${name} ${old}\n` : `~ ${name} ${old} -> ${now}\n`];
  });
}
