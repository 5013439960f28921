import { setTimeout as delay } from 'node:timers/promises';
import { OvertakenError } from '../execute/index.ts';
import type { ComposeContext } from './context.ts';

/** How often a plan is made anew. */
const attempts = 6;
/** Longest pause before the second attempt, in ms; it grows with each. Chance keeps two clients out of step. */
const pause = 150;

/**
 * Looks, plans and does again while others change the same objects at the same time, so that what is done fits what is
 * there. Throws the last failure when it does not come to an end.
 */
export async function untilSettled<T>(context: ComposeContext, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OvertakenError) || attempt === attempts || context.signal?.aborted) throw error;
      await delay(Math.random() * pause * attempt);
    }
  }
}
