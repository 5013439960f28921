import { posix } from 'node:path';
import { notImplemented } from '#base';
import type { Instruction, MountFlag } from '../instructions/instruction.ts';
import type { StageState } from '../plan/stage-state.ts';
import { mountRights } from './mount-rights.ts';
import type { FileOrigin, RunMount } from './operation.ts';

/** Finds the file system that a `from=` names; undefined is the build context. Throws `invalid` with the place. */
export type FindOrigin = (from: string | undefined, instruction: Instruction) => Promise<FileOrigin>;

/** The mounts of a RUN that hold files, in the order written. Throws what `origin` throws. */
export async function lowerMounts(
  instruction: Instruction<'run'>,
  state: StageState,
  origin: FindOrigin,
): Promise<RunMount[]> {
  const mounts: RunMount[] = [];
  for (const flag of instruction.mounts) {
    const { type } = flag;
    if (type === 'secret' || type === 'ssh') continue;
    const from: FileOrigin = type === 'bind' ? await origin(flag.from, instruction) : { kind: 'scratch' };
    mounts.push({ type, origin: from, ...placeOf(flag, instruction, state) });
  }
  return mounts;
}

function placeOf(
  flag: MountFlag,
  instruction: Instruction<'run'>,
  state: StageState,
): Omit<RunMount, 'type' | 'origin'> {
  const expand = (text: string | undefined) => state.expand(text ?? '', instruction);
  if (flag.type === 'cache' && (flag.from ?? flag.source) !== undefined) {
    throw notImplemented(`line ${instruction.node.line}: from and source of a cache mount are not supported`);
  }
  const target = posix.resolve('/', state.workdir, expand(flag.target));
  return {
    target,
    source: posix.resolve('/', expand(flag.source)),
    readonly: flag.readonly,
    id: flag.id === undefined ? target : expand(flag.id),
    sharing: flag.sharing,
    size: flag.size,
    ...mountRights(flag, 0o755, { instruction, state }),
  };
}
