import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DistributionInspect } from '#api-types';
import { invalid, unavailable } from '#base';
import { type ConfigSelection, renderConfig } from '#compose';
import { atLeast } from '../../command/index.ts';
import { errorText } from '../../error-text.ts';
import { flagTable } from '../../flags/index.ts';
import { connectClient } from '../../host/index.ts';
import { readImageName } from '../../progress/index.ts';
import type { ComposeCommand, ComposeInvocation } from '../compose-command.ts';
import { loadOptions } from '../open-project.ts';
import { statusReporter } from '../status-reporter.ts';

const flags = flagTable(`
      --environment             Print the variables that files are resolved with
      --format string           Kind of output: 'yaml' or 'json' (default "yaml")
      --hash string             Print the config hash of services, '*' for all
      --images                  Print the names of images
      --lock-image-digests      Print an override file that pins the images to digests
      --models                  Print the names of models
      --networks                Print the names of networks
      --no-consistency          Do not check what belongs together
      --no-env-resolution       Do not read the env files of services
      --no-interpolate          Do not replace variables
      --no-normalize            Do not bring the model to its normal form
      --no-path-resolution      Leave paths as they are
  -o, --output string           Write to a file, instead of STDOUT
      --profiles                Print the names of profiles
  -q, --quiet                   Only check the files
      --resolve-image-digests   Pin the tags of images to digests
      --services                Print the names of services
      --variables               Print the variables that the files use
      --volumes                 Print the names of volumes
`);

const selections: readonly ConfigSelection[] = [
  'services',
  'volumes',
  'networks',
  'models',
  'images',
  'profiles',
  'variables',
  'environment',
];

/** Asks the registry, through the engine, for the digest that an image's tag stands for. */
function digestResolver(invocation: ComposeInvocation): (image: string) => Promise<string> {
  return async (image) => {
    const name = readImageName(image);
    if (name.digest !== undefined) return image;
    const client = await connectClient(invocation);
    const reference = `${name.familiar}:${name.tag ?? 'latest'}`;
    const path = `/distribution/${reference.split('/').map(encodeURIComponent).join('/')}/json`;
    const { Descriptor } = await client.transport
      .json<DistributionInspect>({ method: 'GET', path })
      .catch((error: unknown) => {
        throw unavailable(`failed to resolve digest for ${reference}: ${errorText(error).trimEnd()}`, { cause: error });
      });
    return `${reference}@${Descriptor.digest}`;
  };
}

/** `berth compose config`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Check the Compose files and print them in canonical form',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, compose } = invocation;
    const format = given.string('format', 'yaml');
    if (format !== 'yaml' && format !== 'json') throw invalid(`unsupported format ${JSON.stringify(format)}`);
    const pins = given.bool('resolve-image-digests') || given.bool('lock-image-digests');
    const { text, warnings } = await renderConfig({
      ...loadOptions(invocation, args),
      format,
      print: selections.find((name) => given.bool(name)),
      hash: given.string('hash') || undefined,
      interpolate: !given.bool('no-interpolate'),
      resolvePaths: !given.bool('no-path-resolution'),
      normalise: !given.bool('no-normalize'),
      checkConsistency: !given.bool('no-consistency'),
      resolveEnvironment: !given.bool('no-env-resolution'),
      lockImages: given.bool('lock-image-digests'),
      ...(pins ? { resolveDigest: digestResolver(invocation) } : {}),
    });
    const reporter = statusReporter(terminal, compose);
    for (const message of warnings) reporter.warn(message);
    if (given.bool('quiet')) return;
    const output = given.string('output', '-');
    if (output === '-') terminal.stdout.write(text);
    else await writeFile(resolve(terminal.cwd, output), text);
  },
};
