import { createReadStream, existsSync } from 'node:fs';
import { invalid } from '#base';
import { between, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { readImageName, renderProgress } from '../progress/index.ts';

const flags = flagTable(`
  -c, --change list       Apply a Dockerfile instruction to the new image
  -m, --message string    Message of the new image
      --platform string   Platform of the new image
`);

/** `berth import`. */
export const command: Command = {
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  short: 'Make an image of a filesystem tar archive',
  flags,
  args: between(1, 2),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [source = '', reference] = args;
    const name = reference === undefined ? undefined : readImageName(reference);
    const remote = /^https?:\/\//.test(source);
    if (!remote && source !== '-' && !existsSync(source)) throw invalid(`open ${source}: no such file or directory`);
    const client = await connectClient(invocation);
    const tar = remote
      ? undefined
      : source === '-'
        ? terminal.stdin
        : createReadStream(source, { highWaterMark: 1 << 18 });
    const messages = client.images.import({
      source: remote ? source : '-',
      ...(tar ? { tar } : {}),
      ...(name === undefined ? {} : { repo: name.familiar, ...(name.tag ? { tag: name.tag } : {}) }),
      message: given.string('message'),
      changes: given.list('change'),
      platform: given.string('platform'),
    });
    await renderProgress(messages, terminal.stdout);
  },
};
