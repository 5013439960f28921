import { BerthError, isBerthError, messageOf } from '#base';
import type { Client } from '#client';
import type { StatusEvent } from './reporter.ts';

/** What is shown of a step in place of its usual end; undefined when it went as planned. */
export type Outcome = Pick<StatusEvent, 'status' | 'kind'> | undefined;

/** What counts as no failure of a removal. */
export interface RemovalOptions {
  /** One that something else still uses stays, with a warning. */
  readonly keepUsed?: boolean | undefined;
}

const stillUsed: Outcome = { status: 'Resource is still in use', kind: 'warning' };

async function unlessUsed(call: Promise<unknown>, options: RemovalOptions): Promise<Outcome> {
  try {
    await call;
  } catch (error) {
    if (isBerthError(error, 'not-found')) return;
    const used =
      error instanceof BerthError &&
      (error.kind === 'conflict' || (error.kind === 'forbidden' && /active endpoints/.test(messageOf(error))));
    if (!used || options.keepUsed !== true) throw error;
    return stillUsed;
  }
}

/** Removes a network; one that is gone is no failure. Throws `forbidden` when it is in use, unless that is kept. */
export function removeNetwork(client: Client, id: string, options: RemovalOptions): Promise<Outcome> {
  return unlessUsed(client.networks.remove(id), options);
}

/** Removes a volume; one that is gone is no failure. Throws `conflict` when it is in use, unless that is kept. */
export function removeVolume(client: Client, name: string, options: RemovalOptions): Promise<Outcome> {
  return unlessUsed(client.volumes.remove(name, { force: true }), options);
}

/** Removes an image's name; one that is not there or in use is only told of. */
export async function removeImage(client: Client, name: string): Promise<Outcome> {
  try {
    await client.images.remove(name);
  } catch (error) {
    if (isBerthError(error, 'not-found')) return { status: 'Warning: No resource found to remove', kind: 'warning' };
    if (isBerthError(error, 'conflict')) return stillUsed;
    throw error;
  }
}
