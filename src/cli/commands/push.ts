import { invalid } from '#base';
import { type Command, exactly } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { credentialsFor, discard, readImageName, registryKey, renderProgress } from '../progress/index.ts';

const flags = flagTable(`
  -a, --all-tags                Push all tags of the repository
      --disable-content-trust   Skip image signing (default true)
      --platform string         Push only this platform, where the image has several
  -q, --quiet                   Print only the name
`);

/** `berth push`. */
export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  short: 'Upload an image to a registry',
  flags,
  args: exactly(1),
  async run(invocation) {
    const { flags: given, args, terminal, globals } = invocation;
    const name = readImageName(args[0] ?? '');
    if (name.digest !== undefined) throw invalid('cannot push a digest reference');
    const allTags = given.bool('all-tags');
    if (allTags && name.tag !== undefined) throw invalid("tag can't be used with --all-tags/-a");
    const quiet = given.bool('quiet');
    const tag = allTags ? '' : (name.tag ?? 'latest');
    if (name.tag === undefined && !allTags && !quiet) terminal.stdout.write('Using default tag: latest\n');
    const client = await connectClient(invocation);
    const auth = await credentialsFor(readConfigFile(globals.configDir), registryKey(name.registry));
    const platform = given.string('platform');
    const messages = client.images.push(name.familiar, {
      tag,
      ...(auth ? { auth } : {}),
      ...(platform ? { platform } : {}),
    });
    await renderProgress(messages, quiet ? discard() : terminal.stdout);
    if (quiet) terminal.stdout.write(`${name.full}${tag === '' ? '' : `:${tag}`}\n`);
  },
};
