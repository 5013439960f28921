import { notImplemented } from '#base';
import type { LogLine, LogQuery } from '#runtime';
import type { LiveContainer } from '../live-container.ts';

/** Reads a log file of the runtime's form, rotated ones included, some lines at a time. */
export type ReadLog = (path: string, query: LogQuery) => AsyncIterable<readonly LogLine[]>;

/** The container's log; with `follow` until it stops. Throws `not-implemented` for a driver that keeps none. */
export function openLog(
  readLog: ReadLog,
  container: LiveContainer,
  query: Omit<LogQuery, 'follow'> & { follow: boolean },
): AsyncIterable<readonly LogLine[]> {
  const { log } = container.settings.paths;
  if (log === '') throw notImplemented('configured logging driver does not support reading');
  const { follow, ...rest } = query;
  const { task } = container;
  return readLog(log, { ...rest, ...(follow && task ? { follow: { ended: task.exit } } : {}) });
}
