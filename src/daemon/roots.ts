import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FileLock, lockFile } from '#host';
import type { DaemonConfig } from './config.ts';

/** The two directories of a daemon, made and locked, and the paths of its rooms in them. */
export interface Roots {
  readonly database: string;
  readonly content: string;
  readonly snapshots: string;
  readonly containers: string;
  readonly volumes: string;
  readonly build: string;
  readonly buildRun: string;
  /** Short name of the snapshot directory for overlay's lower layers. */
  readonly layerLink: string;
  readonly pidfile: string;
  release(): void;
}

/** Makes both roots. Throws `conflict` when another daemon has one of them. */
export function claimRoots(config: DaemonConfig): Roots {
  const { dataRoot, execRoot } = config;
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const locks: FileLock[] = [];
  for (const [flag, root] of [
    ['--data-root', dataRoot],
    ['--exec-root', execRoot],
  ]) {
    const taken = `another berthd runs with ${flag} ${root}; stop it or choose other roots`;
    locks.push(lockFile(join(root ?? '', 'berthd.lock'), taken));
  }
  const pidfile = config.pidfile ?? join(execRoot, 'berth.pid');
  writeFileSync(pidfile, `${process.pid}\n`);
  return {
    database: join(dataRoot, 'berth.db'),
    content: join(dataRoot, 'content'),
    snapshots: join(dataRoot, 'snapshots'),
    containers: join(dataRoot, 'containers'),
    volumes: join(dataRoot, 'volumes'),
    build: join(dataRoot, 'build'),
    buildRun: join(execRoot, 'build'),
    layerLink: join(execRoot, 'l'),
    pidfile,
    release: () => {
      for (const lock of locks) lock.release();
    },
  };
}
