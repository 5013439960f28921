import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { configDocument, imageName, loadModel, loadProject, type Project, serviceHash } from '#compose';
import { atLeast, ExitError } from '../../command/index.ts';
import { flagTable } from '../../flags/index.ts';
import type { ComposeCommand, ComposeInvocation } from '../compose-command.ts';
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
      --resolve-image-digests   Pin the tags of images to digests
      --services                Print the names of services
      --variables               Print the variables that the files use
      --volumes                 Print the names of volumes
`);

function lines(values: readonly string[]): string {
  return values.map((value) => `${value}\n`).join('');
}

function hashes(project: Project, wanted: string): string {
  const names = wanted === '*' ? Object.keys(project.services) : wanted.split(',');
  return lines(
    names.sort().map((name) => {
      const service = project.services[name];
      if (service === undefined) throw new ExitError(1, `no such service: ${name}\n`);
      return `${name} ${serviceHash(service)}`;
    }),
  );
}

/** The lists that a flag of their own asks for; undefined when none does. */
function listing(project: Project, invocation: ComposeInvocation): string | undefined {
  const { flags: given } = invocation;
  const services = Object.values(project.services);
  if (given.bool('services')) return lines(services.map(({ name }) => name).sort());
  if (given.bool('volumes')) return lines(Object.keys(project.volumes).sort());
  if (given.bool('networks')) return lines(Object.keys(project.networks).sort());
  if (given.bool('models')) return lines(Object.values(project.models).flatMap(({ model }) => model ?? []));
  if (given.bool('images')) return lines(services.map((service) => imageName(project, service)));
  if (given.bool('profiles')) {
    const all = [...services, ...Object.values(project.disabledServices)].flatMap(({ profiles = [] }) => profiles);
    return lines([...new Set(all)].sort());
  }
  if (given.bool('environment')) {
    return lines(Object.entries(project.environment).map(([key, value]) => `${key}=${value}`));
  }
  if (given.string('hash') !== '') return hashes(project, given.string('hash'));
  return undefined;
}

/** Values with `$` doubled, so that the document can be read as a Compose file again. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]));
}

const order = ['name', 'services', 'networks', 'volumes', 'secrets', 'configs'];

/** The document with its top keys in the order in which people write them. */
function ordered(document: object): object {
  const place = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return Object.fromEntries(Object.entries(document).sort(([a], [b]) => place(a) - place(b)));
}

async function print(document: object, invocation: ComposeInvocation): Promise<void> {
  const { flags: given, terminal } = invocation;
  const { stringify } = await import('yaml');
  const asJson = given.string('format') === 'json';
  const text = asJson
    ? `${JSON.stringify(document, null, 2)}\n`
    : stringify(ordered(document), { aliasDuplicateObjects: false, lineWidth: 0, indentSeq: true });
  const output = given.string('output');
  if (output === '' || output === '-') terminal.stdout.write(text);
  else await writeFile(resolve(terminal.cwd, output), text);
}

/** `berth compose config`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Check the Compose files and print them in canonical form',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args, terminal, compose } = invocation;
    const reporter = statusReporter(terminal, compose);
    const options = {
      ...loadOptions(invocation, args),
      interpolate: !given.bool('no-interpolate'),
      resolvePaths: !given.bool('no-path-resolution'),
      normalise: !given.bool('no-normalize'),
      checkConsistency: !given.bool('no-consistency'),
      resolveEnvironment: !given.bool('no-env-resolution'),
    };
    if (given.bool('no-interpolate')) {
      const raw = await loadModel(options);
      for (const message of raw.warnings) reporter.warn(message);
      if (!given.bool('quiet')) await print({ name: raw.name, ...(raw.document as object) }, invocation);
      return;
    }
    const project = await loadProject(options);
    for (const message of project.warnings) reporter.warn(message);
    if (given.bool('quiet')) return;
    const list = listing(project, invocation);
    if (list !== undefined) terminal.stdout.write(list);
    else await print(escaped(configDocument(project)) as object, invocation);
  },
};
