import { fault } from '../faults.ts';
import type { Reference } from './records.ts';

/** The refusal of a manifest that names what its repository lacks; `missing` is not empty. */
export function missingReferences(missing: readonly Reference[]) {
  const [first] = missing;
  return fault(
    'MANIFEST_BLOB_UNKNOWN',
    `manifest references ${missing.length} unknown ${first?.kind === 'manifest' ? 'manifest' : 'blob'}(s), ` +
      `${first?.digest} among them; push them first`,
    { digests: missing.slice(0, 100).map(({ digest }) => digest) },
  );
}
