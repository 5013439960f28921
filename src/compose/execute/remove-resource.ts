import { BerthError, isBerthError, messageOf } from '#base';
import type { Client } from '#client';
import type { Operation } from '../plan/index.ts';
import { observeContainers } from './observe.ts';
import { OvertakenError } from './overtaken-error.ts';
import type { StatusEvent } from './reporter.ts';

/** Where resources are removed. */
export interface RemovalContext {
  readonly client: Client;
  readonly projectName: string;
}

/** What is shown of a step in place of its usual end; undefined when it went as planned. */
export type Outcome = Pick<StatusEvent, 'status' | 'kind'> | undefined;

type Removal = Extract<Operation, { kind: 'remove-network' | 'remove-volume' }>;

const stillUsed: Outcome = { status: 'Resource is still in use', kind: 'warning' };

/**
 * Removes a network or a volume; one that is gone is no failure. Throws the engine's error for one that is in use, unless
 * such are kept, and {@link OvertakenError} when containers were made since the plan.
 */
export async function removeUnlessUsed(context: RemovalContext, removal: Removal): Promise<Outcome> {
  const { networks, volumes } = context.client;
  try {
    if (removal.kind === 'remove-network') await networks.remove(removal.id);
    else await volumes.remove(removal.name, { force: true });
    return undefined;
  } catch (error) {
    if (isBerthError(error, 'not-found')) return undefined;
    if (removal.seen === undefined || !saysUsed(error)) throw error;
    const { seen } = removal;
    const now = await observeContainers(context.client, context.projectName);
    if (now.every(({ id }) => seen.includes(id))) return stillUsed;
    throw new OvertakenError('conflict', `${removal.name} is used by containers that were made meanwhile`);
  }
}

function saysUsed(error: unknown): boolean {
  if (!(error instanceof BerthError)) return false;
  return error.kind === 'conflict' || (error.kind === 'forbidden' && /active endpoints/.test(messageOf(error)));
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
