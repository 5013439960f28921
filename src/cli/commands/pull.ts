import { invalid } from '#base';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient } from '../host/index.ts';
import { pullImage, readImageName } from '../progress/index.ts';

const flags = flagTable(`
  -a, --all-tags                Download all tags of the repository
      --disable-content-trust   Skip image verification (default true)
      --platform string         Platform of the image, where it has several
  -q, --quiet                   Print only the name
`);

/** `berth pull`. */
export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  short: 'Download an image from a registry',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [image = ''] = args;
    const name = readImageName(image);
    const allTags = given.bool('all-tags');
    if (allTags && (name.tag !== undefined || name.digest !== undefined)) {
      throw invalid("tag can't be used with --all-tags/-a");
    }
    const quiet = given.bool('quiet');
    const isDefault = name.tag === undefined && name.digest === undefined && !allTags;
    if (isDefault && !quiet) terminal.stdout.write('Using default tag: latest\n');
    const client = await connectClient(invocation);
    await pullImage(client, invocation, {
      image,
      allTags,
      platform: given.string('platform'),
      ...(quiet ? {} : { output: terminal.stdout }),
    });
    const tag = name.tag ?? (name.digest === undefined ? 'latest' : undefined);
    const full = `${name.full}${tag === undefined ? '' : `:${tag}`}${name.digest === undefined ? '' : `@${name.digest}`}`;
    terminal.stdout.write(`${allTags ? name.full : full}\n`);
  },
};
