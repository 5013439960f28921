import { notImplemented } from '#base';
import type { BuildRequest, NamedContext } from '#builder';
import { parsePlatform } from '#oci';
import { namedContext } from '../routes/build/named-contexts.ts';
import type { ClientSession } from '../session/client-sessions.ts';
import type { WantedImage } from './control-build.ts';

/** Options of BuildKit's Dockerfile front end (`frontend/dockerui`), as clients send them. */
export type FrontendOptions = Readonly<Record<string, string>>;

const buildArgPrefix = 'build-arg:';
const labelPrefix = 'label:';
const contextPrefix = 'context:';

/** What a build is asked with, as far as options say it. */
export type OptionsRequest = Omit<BuildRequest, 'context' | 'contexts' | 'recipe' | 'tags' | 'signal' | 'onEvent'>;

/** Throws `not-implemented` for what is no build or not one for one platform, `invalid` for malformed values. */
export function readFrontendOptions(options: FrontendOptions): OptionsRequest {
  const { requestid, platform, target } = options;
  if (requestid !== undefined && requestid !== '') {
    throw notImplemented(`request ${requestid}: this engine builds only; leave out --call and --check`);
  }
  if (platform?.includes(',')) {
    throw notImplemented(`platforms ${platform}: this engine builds for one platform at a time; build each by itself`);
  }
  const shmSize = Number(options['shm-size'] ?? 0);
  return {
    dockerfile: options.filename || 'Dockerfile',
    ...(target ? { target } : {}),
    buildArgs: withPrefix(options, buildArgPrefix),
    labels: withPrefix(options, labelPrefix),
    ...readNoCache(options['no-cache']),
    pull: options['image-resolve-mode'] === 'pull',
    ...(platform ? { platform: parsePlatform(platform) } : {}),
    networkMode: options['force-network-mode'] || 'default',
    extraHosts: (options['add-hosts'] ?? '')
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => entry.replace('=', ':')),
    ...(Number.isSafeInteger(shmSize) && shmSize > 0 ? { shmSize } : {}),
    cacheFrom: cacheImages(options['cache-imports']),
    squash: false,
    credentials: {},
  };
}

/** Empty for all, or names of stages. */
function readNoCache(value: string | undefined): Pick<OptionsRequest, 'noCache' | 'noCacheStages'> {
  return value ? { noCache: false, noCacheStages: value.split(',') } : { noCache: value !== undefined };
}

/** Where contexts come from that are no images. */
interface ContextSources {
  readonly session: ClientSession | undefined;
  /** What other builds want, by name. */
  readonly inputs: ReadonlyMap<string, WantedImage>;
}

const inputPrefix = 'input:';

/** The contexts beside the main one; results of other builds are waited for. Throws `invalid`, `not-implemented`. */
export async function readNamedContexts(
  options: FrontendOptions,
  { session, inputs }: ContextSources,
): Promise<Record<string, NamedContext>> {
  const contexts: Record<string, NamedContext> = {};
  for (const [given, value] of Object.entries(withPrefix(options, contextPrefix))) {
    // A platform may stand behind the name; there is one.
    const name = given.replace(/::.*$/, '');
    const input = value.startsWith(inputPrefix) ? inputs.get(value.slice(inputPrefix.length)) : undefined;
    contexts[name] =
      input === undefined ? namedContext(name, value, session) : { kind: 'image', reference: await input.image() };
  }
  return contexts;
}

/** Options that are given and change nothing here, by their names on the command line. */
export function unusedOptions(options: FrontendOptions): string[] {
  const names = { ulimit: '--ulimit', 'cgroup-parent': '--cgroup-parent', hostname: 'hostname' };
  return Object.entries(names).flatMap(([key, name]) => (options[key] ? [name] : []));
}

function withPrefix(options: FrontendOptions, prefix: string): Record<string, string> {
  const found = Object.entries(options).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

/** Images of `cache-imports`, a JSON list of {Type, Attrs}; sources of other kinds are passed over, as no cache is wrong. */
function cacheImages(text: string | undefined): string[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.flatMap(cacheImage) : [];
  } catch {
    return [];
  }
}

function cacheImage(entry: { Type?: unknown; Attrs?: { ref?: unknown } } | null): string[] {
  const ref = entry?.Type === 'registry' ? entry.Attrs?.ref : undefined;
  return typeof ref === 'string' ? [ref] : [];
}
