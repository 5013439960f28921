import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { canceled, invalid, unavailable } from '#base';
import type { Processes } from '#host';
import { familiarName, familiarString, parseReference, withDefaultTag } from '#oci';
import { type AptSource, formatAptSources, readAptSources, sourcesForSuite } from './apt-sources.ts';
import type { Image } from './image.ts';
import type { ImportOptions } from './import.ts';

/** What base image to make. */
export interface BootstrapSpec {
  /** Name of the image, `debian:bookworm-slim`: the tag tells suite and variant. */
  readonly name: string;
  /** Release to take packages from; default the tag without `-slim`, for `latest` that of the host. */
  readonly suite?: string;
  /** More packages. */
  readonly include?: readonly string[];
}

/** What {@link bootstrap} needs. */
export interface BootstrapContext {
  readonly images: { import(archive: Readable, options: ImportOptions): Promise<Image> };
  readonly processes: Processes;
  /** Directory for the archive being made. */
  readonly scratch: string;
  /** Hears lines of the tools' output. */
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Default /etc/apt. */
  readonly aptDirectory?: string;
}

const aptHelper = '/usr/lib/apt/apt-helper';
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a slim image leaves out; copyright texts stay, as the licences ask. */
const slimOptions = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  ...['man', 'info', 'groff', 'lintian', 'linda', 'locale'].map((name) => `path-exclude=/usr/share/${name}/*`),
  'path-include=/usr/share/locale/locale.alias',
];

/** Files that tell when or where the tree was made, or that the first apt-get update brings anyway. */
const cleanUp = [
  'find "$1/var/log" -type f -delete',
  'rm -rf "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/var/cache/ldconfig/aux-cache" "$1/var/cache/debconf"/*-old',
  'rm -f "$1/var/lib/dpkg"/*-old "$1/var/lib/systemd/catalog/database" "$1/etc"/passwd- "$1/etc"/group- "$1/etc"/shadow- "$1/etc"/gshadow-',
  'mkdir -p "$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial"',
  ': > "$1/etc/machine-id"; rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"',
];

/**
 * Makes a base image from the distribution's signed packages, taken from where the host's apt takes its own
 * (mmdebstrap(1)). The same package state gives the same image, bit for bit: every date in it is that of the newest
 * release file. Throws `invalid` for a bad name, `unavailable` when packages cannot be had.
 */
export async function bootstrap(spec: BootstrapSpec, context: BootstrapContext): Promise<Image> {
  const reference = withDefaultTag(parseReference(spec.name));
  const tag = reference.tag ?? 'latest';
  const slim = tag.endsWith('-slim') || tag === 'slim';
  const { distribution, suite: host } = await hostRelease();
  const named = tag.replace(/-?slim$/, '').replace(/^latest$/, '');
  if (spec.suite === undefined && named === '' && familiarName(reference).split('/').at(-1) !== distribution) {
    const name = familiarName(reference);
    throw invalid(
      `${name} does not say which release of ${distribution} to make it of: name one, as in ` +
        `"${name}:${host}" or "--suite ${host}"`,
    );
  }
  const suite = spec.suite ?? (named || host);
  if (!/^[a-z][a-z0-9.-]*$/.test(suite)) throw invalid(`"${suite}" is not the name of a release`);
  const include = spec.include ?? [];
  for (const name of include) {
    if (!/^[a-z0-9][a-z0-9+.:=~-]*$/.test(name)) throw invalid(`"${name}" is not the name of a package`);
  }
  const sources = sourcesForSuite(await readAptSources(context.aptDirectory ?? '/etc/apt'), host, suite);
  const directory = await mkdtemp(join(context.scratch, 'bootstrap-'));
  try {
    const epoch = await newestRelease(sources, directory, context);
    const list = join(directory, 'host.sources');
    await writeFile(list, formatAptSources(sources));
    const archive = join(directory, 'root.tar');
    const args = [
      '--variant=minbase',
      '--format=tar',
      ...(include.length > 0 ? [`--include=${include.join(',')}`] : []),
      ...(slim ? slimOptions.map((option) => `--dpkgopt=${option}`) : []),
      '--aptopt=Acquire::Languages "none"',
      '--aptopt=APT::AutoRemove::SuggestsImportant "false"',
      ...cleanUp.map((command) => `--customize-hook=${command}`),
      suite,
      archive,
      list,
    ];
    await runTool('mmdebstrap', args, { SOURCE_DATE_EPOCH: String(epoch), TMPDIR: directory }, context);
    return await context.images.import(createReadStream(archive, { highWaterMark: 1024 * 1024 }), {
      target: familiarString(reference),
      config: { Env: [path], Cmd: ['bash'] },
      message: `${suite}, ${slim ? 'slim' : 'minbase'}${include.length > 0 ? `, with ${include.join(' ')}` : ''}`,
      created: new Date(epoch * 1000).toISOString(),
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The release that the host runs, and of which distribution: os-release(5). */
async function hostRelease(): Promise<{ distribution: string; suite: string }> {
  const text = await readFile('/etc/os-release', 'utf8');
  const distribution = /^ID="?([a-z]+)"?$/m.exec(text)?.[1] ?? 'linux';
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1];
  if (suite === undefined) throw unavailable('/etc/os-release does not tell the VERSION_CODENAME of this host');
  return { distribution, suite };
}

/** Seconds since the epoch of the newest release file among `sources`. Packages are verified later, by apt. */
async function newestRelease(
  sources: readonly AptSource[],
  directory: string,
  context: BootstrapContext,
): Promise<number> {
  let newest = 0;
  for (const [index, { uri, suite }] of sources.entries()) {
    const file = join(directory, `release-${index}`);
    const url = `${uri.replace(/\/$/, '')}/dists/${suite}/InRelease`;
    await runTool(aptHelper, ['download-file', url, file], {}, context);
    const date = /^Date: (.+)$/m.exec(await readFile(file, 'utf8'))?.[1];
    const seconds = Math.trunc(Date.parse(date ?? '') / 1000);
    if (!Number.isSafeInteger(seconds)) throw unavailable(`${suite}: the archive's release file has no date`);
    newest = Math.max(newest, seconds);
  }
  return newest;
}

/** Runs a tool and hands its lines on. Throws `unavailable` with its last lines, `canceled` when the signal aborted. */
async function runTool(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  context: Pick<BootstrapContext, 'processes' | 'onLine' | 'signal'>,
): Promise<void> {
  const { processes, onLine, signal } = context;
  if (signal?.aborted) throw canceled('bootstrap was canceled');
  const child = processes.spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > 5) last.shift();
      onLine(line);
    });
  }
  // SIGTERM: the tool removes its own mounts and files.
  const abort = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (error) =>
        reject(unavailable(`cannot start ${command}: ${error.message}`, { cause: error })),
      );
      child.once('close', resolve);
    });
    if (signal?.aborted) throw canceled('bootstrap was canceled');
    if (code !== 0) throw unavailable(`${command} failed: ${last.join('; ')}`);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
