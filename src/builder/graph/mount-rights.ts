import type { Instruction, MountFlag } from '../instructions/instruction.ts';
import { readMountNumber } from '../instructions/parse-mount.ts';
import type { StageState } from '../plan/stage-state.ts';

/** Mode and owner of what a mount shows. */
export interface MountRights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The rights that a mount asks for, variables replaced; root's and `mode` where it says nothing. Throws `invalid` with its place. */
export function mountRights(
  flag: MountFlag,
  mode: number,
  { instruction, state }: { instruction: Instruction<'run'>; state: StageState },
): MountRights {
  const read = (key: 'mode' | 'uid' | 'gid', standard: number): number => {
    const text = flag[key];
    if (text === undefined) return standard;
    return readMountNumber(key, state.expand(text, instruction), (fault) => state.fault(fault, instruction));
  };
  return { mode: read('mode', mode), uid: read('uid', 0), gid: read('gid', 0) };
}
