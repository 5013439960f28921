import { invalid, isBerthError, parseDuration } from '#base';
import { hasLabel } from './list-filter.ts';
import type { LiveContainer } from './live-container.ts';
import { isUp } from './live-container.ts';

/**
 * The containers that `prune` takes: those that do not run and pass `until`, `label` and `label!`. Throws `invalid`
 * for other filters and for times it cannot read.
 */
export function choosePrunable(
  containers: readonly LiveContainer[],
  filters: Readonly<Record<string, readonly string[]>>,
): LiveContainer[] {
  for (const key of Object.keys(filters)) {
    if (key !== 'until' && key !== 'label' && key !== 'label!') throw invalid(`invalid filter '${key}'`);
  }
  if ((filters.until?.length ?? 0) > 1) throw invalid('more than one until filter specified');
  const until = filters.until?.[0] === undefined ? Number.POSITIVE_INFINITY : parseTime(filters.until[0]);
  return containers.filter(
    ({ settings, state, removing }) =>
      !removing &&
      !isUp(state) &&
      state.status !== 'restarting' &&
      settings.createdAt < until &&
      (filters.label ?? []).every((wanted) => hasLabel(settings.labels, wanted)) &&
      !(filters['label!'] ?? []).some((wanted) => hasLabel(settings.labels, wanted)),
  );
}

/** ms since the epoch of a Go duration back from now, a Unix time, or an RFC 3339 time. */
function parseTime(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  if (!Number.isNaN(time) && /^\d{4}-/.test(text)) return time;
  try {
    return Date.now() - parseDuration(text) / 1e6;
  } catch (error) {
    if (isBerthError(error)) throw invalid(`invalid until filter: ${text}`);
    throw error;
  }
}
