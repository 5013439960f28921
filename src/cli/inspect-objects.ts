import { messageOf } from '#base';
import { ExitError, type Terminal } from './command/index.ts';
import { errorText } from './error-text.ts';
import { indentJson } from './format/index.ts';
import { GoNil, Template } from './template/index.ts';

/** Fields that answers leave out when they have no value; templates read them as nil. */
const optionalFields = new Set([
  'Health',
  'Healthcheck',
  'SizeRw',
  'SizeRootFs',
  'ImageManifestDescriptor',
  'StopTimeout',
  'Init',
  'Descriptor',
  'UsageData',
  'ClusterVolume',
  'Status',
  'Peers',
  'Services',
]);
/** Fields left out whose value, where absent, is an empty text, number or list in Go. */
const emptyFields: Readonly<Record<string, unknown>> = {
  StopSignal: '',
  MacAddress: '',
  Shell: new GoNil('slice'),
  ExposedPorts: new GoNil('map'),
  Mounts: new GoNil('slice'),
  Tmpfs: new GoNil('map'),
  Sysctls: new GoNil('map'),
  StorageOpt: new GoNil('map'),
  Annotations: new GoNil('map'),
  ArgsEscaped: false,
  NetworkDisabled: false,
  Variant: '',
  OsVersion: '',
  Driver: '',
  Name: '',
};
/** Fields that are maps with keys of the user's. */
const mapFields = new Set([
  'Labels',
  'Options',
  'Ports',
  'Networks',
  'ExposedPorts',
  'Volumes',
  'Sysctls',
  'Tmpfs',
  'StorageOpt',
  'Annotations',
  'DriverOpts',
  'Config.',
  'Data',
  'PortBindings',
  'Containers',
  'AuxiliaryAddresses',
]);
const pointerFields = new Set([
  'PidsLimit',
  'MemorySwappiness',
  'OomKillDisable',
  'Init',
  'IPAMConfig',
  'Healthcheck',
  'Health',
  'ConfigFrom',
  'StopTimeout',
  'Config',
]);

/** Makes parsed JSON behave in templates as the Go value behind it would. */
function prepare(value: unknown, open: WeakSet<object>): unknown {
  if (Array.isArray(value)) return value.map((part) => prepare(part, open));
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    if (part === null && !pointerFields.has(key)) result[key] = new GoNil(mapFields.has(key) ? 'map' : 'slice');
    else result[key] = prepare(part, open);
    if (mapFields.has(key) && typeof result[key] === 'object' && result[key] !== null) open.add(result[key]);
  }
  return result;
}

/** The names that `template` reads and the answer may lack, filled in where Go has an empty value. */
function withEmptyFields(value: unknown, source: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const wanted = Object.keys(emptyFields).filter((name) => source.includes(`.${name}`));
  const root = value as Record<string, unknown>;
  for (const part of [root, root.Config, root.HostConfig]) {
    if (typeof part !== 'object' || part === null || part instanceof GoNil) continue;
    for (const name of wanted) {
      if (!Object.hasOwn(part, name) && !(part === root && !['Variant', 'OsVersion'].includes(name))) {
        Object.defineProperty(part, name, { value: emptyFields[name], enumerable: false });
      }
    }
  }
  return value;
}

function compile(format: string): Template | undefined {
  if (format === '' || format === 'json') return undefined;
  try {
    return new Template(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${messageOf(error)}\n`);
  }
}

/**
 * Prints what `fetch` returns (JSON as the daemon wrote it) for each name: all as one JSON list, or each by a template.
 * Objects that are not there are reported after the others; exit code 1.
 */
export async function inspectObjects(
  terminal: Terminal,
  names: readonly string[],
  options: { format: string; fetch: (name: string) => Promise<string> },
): Promise<number> {
  const template = compile(options.format);
  const texts: string[] = [];
  const faults: string[] = [];
  let failed = '';
  for (const name of names) {
    try {
      const text = (await options.fetch(name)).trim();
      if (template === undefined) texts.push(text);
      else {
        const open = new WeakSet<object>();
        const data = withEmptyFields(prepare(JSON.parse(text), open), options.format);
        texts.push(`${template.execute(data, { strict: true, openMaps: open, optionalFields })}\n`);
      }
    } catch (error) {
      if (error instanceof Error && error.name === 'TemplateExecError') {
        failed = `template parsing error: ${error.message}\n`;
        break;
      }
      faults.push(errorText(error));
    }
  }
  if (options.format === 'json')
    terminal.stdout.write(texts.map((text) => `${JSON.stringify(JSON.parse(text))}\n`).join('') || '');
  else if (template !== undefined) terminal.stdout.write(texts.join('') || '\n');
  else if (texts.length === 0) terminal.stdout.write('[]\n');
  else terminal.stdout.write(`[\n    ${texts.map((text) => indentJson(text, '    ')).join(',\n    ')}\n]\n`);
  for (const fault of faults) terminal.stderr.write(fault);
  if (failed !== '') terminal.stderr.write(failed);
  return faults.length > 0 || failed !== '' ? 1 : 0;
}
