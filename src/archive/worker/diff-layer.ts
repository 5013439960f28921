import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { canceled } from '#base';
import { getXattr, type ThreadRoot } from '#host';
import type { LayerFacts } from '../archive.ts';
import { type ByteName, toHostPath } from '../tar/byte-name.ts';
import { baseOf, parentOf } from '../tar/entry-path.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import { isWhiteout, opaqueMarker, opaqueXattr, whiteoutPrefix } from './layer-sink.ts';
import type { TaskContext } from './task.ts';
import { metadataOf, type PackPolicy, packTree, type WalkedFile } from './tree-reader.ts';

/** Bytes hashed and written at a time. */
const pieceSize = 512 * 1024;
/** What overlayfs keeps for itself, also when mounted in a user namespace (overlayfs.rst, "userxattr"). */
const overlayPrivate = /^(?:trusted|user)\.overlay\./;

function marker(file: WalkedFile, name: ByteName): TarEntry {
  return {
    ...metadataOf(file, name, 'file', false),
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
  };
}

const policy: PackPolicy = {
  nameOf: (file) => (file.relative === '' ? undefined : file.relative),
  takes: () => true,
  nanoseconds: true,
  keepsXattr: (name) => !overlayPrivate.test(name),
  replace: (file, name) => {
    if (
      !file.stat.isCharacterDevice() ||
      !isWhiteout({ rdev: Number(file.stat.rdev), isCharacterDevice: () => true })
    ) {
      return undefined;
    }
    const above = parentOf(name);
    return marker(file, `${above === '' ? '' : `${above}/`}${whiteoutPrefix}${baseOf(name)}`);
  },
  markersIn: (file, name) => {
    const value = getXattr(toHostPath(file.path), opaqueXattr);
    if (value?.toString() !== 'y') return [];
    return [marker(file, name === '' ? opaqueMarker : `${name}/${opaqueMarker}`)];
  },
};

/**
 * Writes the changes in the overlay upper directory to the new file `output` and syncs it. The root directory itself is
 * no member: it is never a change that a container's file system shows in its layers.
 */
export async function diffLayer(
  request: { readonly upper: string; readonly output: string },
  root: ThreadRoot,
  task: TaskContext,
): Promise<LayerFacts> {
  const directory = openSync(request.upper, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const output = await open(request.output, 'wx', 0o600);
    try {
      const hash = createHash('sha256');
      let size = 0;
      const pieces = packTree('/', policy, { size: pieceSize, reuse: true });
      try {
        for (;;) {
          const next = root.run(directory, () => pieces.next());
          if (next.done) break;
          hash.update(next.value);
          size += next.value.length;
          for (let done = 0; done < next.value.length; ) done += writeSync(output.fd, next.value, done);
          await setImmediate();
          if (task.signal.aborted) throw canceled('writing the layer was canceled');
        }
      } finally {
        pieces.return(undefined);
      }
      await output.sync();
      return { diffId: `sha256:${hash.digest('hex')}`, size };
    } catch (error) {
      await rm(request.output, { force: true });
      throw error;
    } finally {
      await output.close();
    }
  } finally {
    closeSync(directory);
  }
}
