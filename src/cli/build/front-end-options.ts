import type { Query, SolvedBuild } from '#client';
import { readImageName } from '../progress/index.ts';

type Value = Query[string];

const text = (value: Value): string => (value === undefined ? '' : String(value));

/** The entries of a parameter that is a JSON object; those without a value are left out. */
function entries(value: Value, prefix: string): [string, string][] {
  const map = JSON.parse(text(value) || '{}') as Record<string, string | null>;
  return Object.entries(map).flatMap(([key, one]): [string, string][] =>
    one === null ? [] : [[`${prefix}${key}`, one]],
  );
}

function ulimitWords(value: Value): string {
  const limits = JSON.parse(text(value) || '[]') as { Name: string; Soft: number; Hard: number }[];
  return limits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`).join(',');
}

/** `host:address` words as `host=address`. */
function hostWords(value: Value): string {
  return text(value)
    .split(',')
    .map((word) => word.replace(':', '='))
    .join(',');
}

function cacheImports(value: Value): string {
  const names = JSON.parse(text(value) || '[]') as string[];
  return names.length === 0 ? '' : JSON.stringify(names.map((ref) => ({ Type: 'registry', Attrs: { ref } })));
}

function wholeName(tag: string): string {
  const name = readImageName(tag);
  return `${name.full}:${name.tag ?? 'latest'}`;
}

/**
 * The parameters of POST /build (`query`) as options of BuildKit's Dockerfile front end, which dockerd makes of them itself;
 * limits of CPU and memory are left out there, too. `contexts` are named ones, by name.
 */
export function frontEndOptions(
  query: Query,
  contexts: Readonly<Record<string, string>>,
): Omit<SolvedBuild, 'session'> {
  const network = text(query.networkmode);
  const options: Record<string, string> = {
    filename: text(query.dockerfile),
    target: text(query.target),
    platform: text(query.platform),
    'image-resolve-mode': query.pull ? 'pull' : '',
    'add-hosts': hostWords(query.extrahosts),
    'force-network-mode': network === 'host' || network === 'none' ? network : '',
    'shm-size': text(query.shmsize),
    ulimit: ulimitWords(query.ulimits),
    'cgroup-parent': text(query.cgroupparent),
    'cache-imports': cacheImports(query.cachefrom),
    // An address is fetched by the engine; files of this machine come by the session without it.
    context: query.remote === 'client-session' ? '' : text(query.remote),
  };
  const filled = Object.entries(options).filter(([, value]) => value !== '');
  const tags = Array.isArray(query.t) ? query.t : [];
  return {
    options: Object.fromEntries([
      ...filled,
      ...(query.nocache ? [['no-cache', ''] as const] : []),
      ...entries(query.buildargs, 'build-arg:'),
      ...entries(query.labels, 'label:'),
      ...Object.entries(contexts).map(([name, value]) => [`context:${name}`, value] as const),
    ]),
    names: tags.map(wholeName),
    entitlements: network === 'host' ? ['network.host'] : [],
  };
}
