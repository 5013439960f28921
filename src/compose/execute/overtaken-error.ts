import { BerthError } from '#base';

const inUse = /has active endpoints|volume is in use/i;

/** What engines say when an object has come or gone since it was looked at. */
const texts: Partial<Record<BerthError['kind'], RegExp>> = {
  'not-found': /^No such container|^network .* not found|no such volume/i,
  conflict: /is already in use by container|already in progress|marked for removal|already exists/i,
};

/** The steps failed only because others changed the same objects meanwhile: a new plan may well succeed. */
export class OvertakenError extends BerthError {}

/** Something is held by what is no part of the project: a new plan would fail as well. */
export class ForeignError extends BerthError {}

/** Whether a failure can come from others who change the same objects. */
export function wasOvertaken(error: unknown): boolean {
  if (!(error instanceof BerthError) || error instanceof ForeignError) return false;
  if (error instanceof OvertakenError) return true;
  return inUse.test(error.message) || texts[error.kind]?.test(error.message) === true;
}
