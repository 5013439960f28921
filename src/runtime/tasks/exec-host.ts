import type { Cgroup } from '#host';
import type { OciRuntime } from './oci-runtime.ts';
import type { RuntimeContext } from './runtime-context.ts';
import type { ProcessFiles } from './task-files.ts';

/** Where an exec belongs. */
export interface ExecHost {
  readonly context: RuntimeContext;
  readonly containerId: string;
  readonly runtime: OciRuntime;
  readonly cgroup: Cgroup;
  readonly files: ProcessFiles;
  /** Called once the exec's files are gone. */
  readonly forget: (id: string) => void;
}
