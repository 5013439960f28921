import type { LiveContainer } from '../containers/live-container.ts';
import { openJournald } from './journald-destination.ts';
import type { LogDestination } from './log-destination.ts';
import { openSyslog } from './syslog-destination.ts';

/** Drivers that send output elsewhere. */
const openers: Readonly<Record<string, (container: LiveContainer) => Promise<LogDestination>>> = {
  syslog: openSyslog,
  journald: openJournald,
};

/** True where the container's output is to be sent to a service. */
export function isShipped({ settings }: LiveContainer): boolean {
  return openers[settings.host.log.driver] !== undefined;
}

/** Connects to the service of a container for which {@link isShipped} holds. Throws `unavailable` when it does not answer. */
export async function openDestination(container: LiveContainer): Promise<LogDestination> {
  const open = openers[container.settings.host.log.driver];
  if (open === undefined) throw new Error(`${container.settings.host.log.driver} sends nothing elsewhere`);
  return open(container);
}
