import { invalid, matchesPattern, notFound } from '#base';
import type { Container, ContainerStatus } from './container.ts';
import type { ContainerFilter } from './containers.ts';

type Filters = NonNullable<ContainerFilter['filters']>;

/** Facts about other containers and images that some filters need. */
export interface FilterLookups {
  /** Full id of a container; undefined when there is none. */
  readonly idOf: (name: string) => string | undefined;
  /** Ids of the images that `ancestor=NAME` stands for: the image itself and all built on it. */
  readonly descendants: (name: string) => ReadonlySet<string>;
}

const statuses: readonly ContainerStatus[] = [
  'created',
  'running',
  'paused',
  'restarting',
  'removing',
  'exited',
  'dead',
];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];
const known = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

/**
 * The containers that a list shows, newest first. Values of one key are alternatives (labels are all needed), keys are
 * all needed. Without `all`, `limit` or a filter on state only running ones. Throws `invalid` with Docker's texts.
 */
export function filterContainers(
  containers: readonly Container[],
  filter: ContainerFilter,
  lookups: FilterLookups,
): Container[] {
  const filters = filter.filters ?? {};
  checkFilters(filters);
  const bounds = findBounds(containers, filters, lookups);
  const anyState = filter.all || (filter.limit ?? 0) > 0 || filters.status?.length || filters.exited?.length;
  const matching = [...containers]
    .sort((a, b) => b.createdAt - a.createdAt)
    .filter((container) => anyState || runs(container))
    .filter((container) => container.createdAt < bounds.before && container.createdAt > bounds.since)
    .filter((container) =>
      Object.entries(filters).every(([key, values]) => matches(container, { key, values, lookups })),
    );
  return filter.limit !== undefined && filter.limit > 0 ? matching.slice(0, filter.limit) : matching;
}

function runs({ state }: Container): boolean {
  return state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
}

function checkFilters(filters: Filters): void {
  for (const [key, values] of Object.entries(filters)) {
    if (!known.includes(key)) throw invalid(`invalid filter '${key}'`);
    for (const value of values) {
      if (key === 'status') checkWord(value, { key, what: 'state', words: statuses });
      if (key === 'health') checkWord(value, { key, what: 'health', words: healths });
      if (key === 'is-task' && !/^(1|t|true|0|f|false)$/i.test(value))
        throw invalid(`invalid filter 'is-task=[${value}]'`);
      if (key === 'exited' && !/^-?\d+$/.test(value)) {
        throw invalid(`invalid filter 'exited=${value}': strconv.Atoi: parsing "${value}": invalid syntax`);
      }
    }
  }
}

function checkWord(value: string, { key, what, words }: { key: string; what: string; words: readonly string[] }): void {
  if (words.includes(value)) return;
  throw invalid(
    `invalid filter '${key}=${value}': invalid value for ${what} (${value}): must be one of ${words.join(', ')}`,
  );
}

function findBounds(containers: readonly Container[], filters: Filters, lookups: FilterLookups) {
  const createdAt = (name: string): number => {
    const id = lookups.idOf(name);
    const found = containers.find((container) => container.id === id);
    if (found === undefined) throw notFound(`No such container: ${name}`);
    return found.createdAt;
  };
  const [before] = filters.before ?? [];
  const [since] = filters.since ?? [];
  return {
    before: before === undefined ? Number.POSITIVE_INFINITY : createdAt(before),
    since: since === undefined ? Number.NEGATIVE_INFINITY : createdAt(since),
  };
}

interface Test {
  readonly key: string;
  readonly values: readonly string[];
  readonly lookups: FilterLookups;
}

function matches(container: Container, { key, values, lookups }: Test): boolean {
  if (values.length === 0) return true;
  const some = (test: (value: string) => boolean) => values.some(test);
  const { state } = container;
  switch (key) {
    case 'id':
      return some((value) => container.id.startsWith(value) || matchesPattern(container.id, value));
    case 'name':
      return some((value) => matchesPattern(`/${container.name}`, value) || matchesPattern(container.name, value));
    case 'label':
      return values.every((value) => hasLabel(container.labels, value));
    case 'status':
      return values.includes(state.status);
    case 'exited':
      return state.status === 'exited' && some((value) => Number(value) === state.exitCode);
    case 'health':
      return values.includes(state.health?.status ?? 'none');
    case 'ancestor':
      return some((value) => container.image === value || lookups.descendants(value).has(container.imageId));
    case 'network':
      return some((value) => onNetwork(container, value));
    case 'volume':
      return some((value) => container.mountPoints.some((mount) => usesVolume(mount, value)));
    case 'publish':
      return some((value) => container.ports.some((port) => portMatches(value, port.hostPort, port.protocol)));
    case 'expose':
      return some((value) => container.exposedPorts.some((text) => exposedMatches(value, text)));
    case 'is-task':
      return some((value) => !/^(1|t|true)$/i.test(value));
    default:
      return true;
  }
}

/** `key` or `key=value`. Shared with prune. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals < 0) return Object.hasOwn(labels, wanted);
  return labels[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}

function onNetwork(container: Container, value: string): boolean {
  return Object.entries(container.networks).some(
    ([name, { networkId }]) => name === value || (value !== '' && networkId?.startsWith(value)),
  );
}

function usesVolume(mount: Container['mountPoints'][number], value: string): boolean {
  return mount.name === value || mount.source === value || mount.destination === value;
}

function portMatches(wanted: string, port: number, protocol: string): boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(wanted);
  if (!match) throw invalid(`invalid filter: port "${wanted}"`);
  const from = Number(match[1]);
  return (match[3] ?? 'tcp') === protocol && port >= from && port <= Number(match[2] ?? from);
}

function exposedMatches(wanted: string, exposed: string): boolean {
  const [port, protocol = 'tcp'] = exposed.split('/');
  return portMatches(wanted, Number(port), protocol);
}
