import { existsSync } from 'node:fs';
import { invalid, shortId } from '#base';
import { connectUnixDatagram } from '#host';
import type { LiveContainer } from '../containers/live-container.ts';
import { extraFields } from './extra-fields.ts';
import type { LogDestination } from './log-destination.ts';
import { logTag } from './log-tag.ts';

const socket = '/run/systemd/journal/socket';
const priorities = { stdout: '6', stderr: '3' } as const;

/** Throws `invalid` where this host has no journal. */
export function checkJournald(): void {
  if (!existsSync(socket)) throw invalid('journald is not enabled on this host');
}

/** The journal of systemd (systemd.io, "Native Journal Protocol"; fields as Docker's journald driver names them). */
export async function openJournald(container: LiveContainer): Promise<LogDestination> {
  checkJournald();
  const journal = connectUnixDatagram(socket);
  const tag = logTag(container);
  const fixed = {
    CONTAINER_ID: shortId(container.id),
    CONTAINER_ID_FULL: container.id,
    CONTAINER_NAME: container.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: container.settings.image,
    SYSLOG_IDENTIFIER: tag,
    ...Object.fromEntries(
      Object.entries(extraFields(container)).map(([name, value]) => [fieldName(name), value] as const),
    ),
  };
  const header = Object.entries(fixed).map(([name, value]) => field(name, Buffer.from(value)));
  return {
    send: ({ stream, text, partial }) =>
      journal.send(
        Buffer.concat([
          ...header,
          field('PRIORITY', Buffer.from(priorities[stream])),
          ...(partial ? [field('CONTAINER_PARTIAL_MESSAGE', Buffer.from('true'))] : []),
          field('MESSAGE', text),
        ]),
      ),
    close: () => journal.close(),
  };
}

/** Upper case, digits and underscores, not beginning with one. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '');
}

/** `NAME=VALUE`, or for a value of several lines NAME, its length (64 bit, little endian) and the value. */
function field(name: string, value: Buffer): Buffer {
  if (!value.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}
