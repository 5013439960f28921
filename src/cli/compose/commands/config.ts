import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { renderConfig } from '#compose';
import { atLeast, ExitError } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { loadOptions } from '../open-project.ts';
import { statusReporter } from '../status-reporter.ts';

const flags = flagTable(`
      --environment             Print the variables that files are resolved with
      --format string           Kind of output: 'yaml' or 'json' (default "yaml")
      --hash string             Print the config hash of services, '*' for all
      --images                  Print the names of images
      --lock-image-digests      !
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
      --resolve-image-digests   !
      --services                Print the names of services
      --variables               Print the variables that the files use
      --volumes                 Print the names of volumes
`);

const selections = [
  'services',
  'volumes',
  'networks',
  'models',
  'images',
  'profiles',
  'variables',
  'environment',
] as const;

/** `berth compose config`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Check the Compose files and print them in canonical form',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, compose } = invocation;
    const reporter = statusReporter(terminal, compose);
    for (const name of ['resolve-image-digests', 'lock-image-digests']) {
      if (given.bool(name)) throw new ExitError(1, `--${name} is not available: write image@sha256:... in the file\n`);
    }
    const format = given.string('format') || 'yaml';
    if (format !== 'yaml' && format !== 'json') throw new ExitError(1, `unsupported format "${format}"\n`);
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
    });
    for (const message of warnings) reporter.warn(message);
    const output = given.string('output');
    if (given.bool('quiet')) return;
    if (output === '' || output === '-') terminal.stdout.write(text);
    else await writeFile(resolve(terminal.cwd, output), text);
  },
};
