import { invalid } from '#base';
import {
  answering,
  type CacheUsage,
  controlMethods,
  type Handler,
  type PruneQuestion,
  streaming,
  type Timestamp,
} from '#buildkit';
import type { ApiPorts } from '../ports.ts';

/** Answers what the build cache holds, and prunes it. */
export function buildCacheHandlers({ builder, events }: Pick<ApiPorts, 'builder' | 'events'>): Handler[] {
  const usages = async (): Promise<CacheUsage[]> => (await builder.diskUsage()).map(cacheUsage);
  return [
    answering(controlMethods.diskUsage, async ({ filter }) => {
      const wanted = readFilters(filter);
      const record = (await usages()).filter((usage) => wanted.every((test) => matches(usage, test)));
      return { record };
    }),
    streaming(controlMethods.prune, async (stream) => {
      for await (const question of stream.received) {
        const before = new Map((await usages()).map((usage) => [usage.ID, usage]));
        const { deleted, reclaimed } = await builder.prune(pruneOptions(question));
        events.publish('builder', 'prune', '', { reclaimed: String(reclaimed) });
        for (const id of deleted) {
          const usage = before.get(id);
          if (usage !== undefined) await stream.send(usage);
        }
        return;
      }
    }),
  ];
}

type Usage = Awaited<ReturnType<ApiPorts['builder']['diskUsage']>>[number];

function cacheUsage(record: Usage): CacheUsage {
  return {
    ID: record.id,
    Mutable: false,
    InUse: record.inUse,
    Size: record.size,
    CreatedAt: timestamp(record.createdAt),
    LastUsedAt: timestamp(record.lastUsedAt || record.createdAt),
    UsageCount: record.usageCount,
    Description: record.description,
    RecordType: record.type,
    Shared: record.shared,
  };
}

function timestamp(ms: number): Timestamp {
  return { seconds: Math.floor(ms / 1000), nanos: Math.floor((ms % 1000) * 1e6) };
}

/** One condition: `type==regular`, `description~=RUN`, `shared`. */
interface Filter {
  readonly key: string;
  readonly operator: '==' | '~=' | '';
  readonly value: string;
}

/** Reads filters in containerd's form, all of which must be met. Throws `invalid`. */
function readFilters(filters: readonly string[]): Filter[] {
  return filters
    .flatMap((filter) => filter.split(','))
    .filter((filter) => filter !== '')
    .map((text) => {
      const [, key = '', operator = '', value = ''] = /^([a-z]+)(?:(==|~=)(.*))?$/s.exec(text) ?? [];
      if (!filterKeys.has(key))
        throw invalid(`invalid filter ${JSON.stringify(text)}: want ${[...filterKeys].join(', ')}`);
      return { key, operator: operator as Filter['operator'], value };
    });
}

const filterKeys = new Set(['id', 'type', 'description', 'inuse', 'shared', 'private', 'mutable', 'immutable']);

function matches(usage: CacheUsage, { key, operator, value }: Filter): boolean {
  if (operator === '') return flagOf(usage, key);
  const text = { id: usage.ID, type: usage.RecordType, description: usage.Description }[key] ?? `${flagOf(usage, key)}`;
  return operator === '==' ? text === value : text.includes(value);
}

function flagOf(usage: CacheUsage, key: string): boolean {
  const flags: Readonly<Record<string, boolean>> = {
    inuse: usage.InUse,
    shared: usage.Shared,
    private: !usage.Shared,
    mutable: usage.Mutable,
    immutable: !usage.Mutable,
  };
  return flags[key] ?? false;
}

type PruneOptions = Parameters<ApiPorts['builder']['prune']>[0];

/** Throws `invalid` for filters that the builder does not prune by. */
function pruneOptions({ filter, all, keepDuration, reservedSpace }: PruneQuestion): PruneOptions {
  const filters: Record<string, string[]> = {};
  for (const { key, operator, value } of readFilters(filter)) {
    const isExact = operator === '==' && (key === 'id' || key === 'type');
    if (!isExact && !(operator === '~=' && key === 'description')) {
      throw invalid(`filter ${key}: prune by id==, type==, description~= or until=`);
    }
    filters[key] = [...(filters[key] ?? []), value];
  }
  // Nanoseconds; the builder reads durations as Go writes them.
  if (keepDuration > 0) filters['unused-for'] = [`${Math.ceil(keepDuration / 1e9)}s`];
  return { all, filters, ...(reservedSpace > 0 ? { keepBytes: reservedSpace } : {}) };
}
