import { lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs';
import { invalid } from '#base';
import { fileTypes, makeNode, setXattr } from '#host';
import { toHostPath, toText } from '../tar/byte-name.ts';
import { baseOf, entryPath, parentOf } from '../tar/entry-path.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import type { TarSink } from '../tar/tar-reader.ts';
import { TreeWriter } from '../tar/tree-writer.ts';

/** Name prefix of a whiteout in a layer archive (OCI image-spec, layer.md, "Whiteouts"). */
export const whiteoutPrefix = '.wh.';
/** Member that hides all that lower layers have in its directory. */
export const opaqueMarker = '.wh..wh..opq';
/** Other members of this prefix, and what is below them, are bookkeeping of AUFS and mean nothing. */
const aufsPrefix = '.wh..wh.';
/** Extended attribute that overlayfs reads for the same (kernel, overlayfs.rst, "whiteouts and opaque directories"). */
export const opaqueXattr = 'trusted.overlay.opaque';

/** True for overlayfs's whiteout: a character device 0/0. */
export function isWhiteout(stat: Pick<Stats, 'rdev'> & { isCharacterDevice(): boolean }): boolean {
  return stat.isCharacterDevice() && Number(stat.rdev) === 0;
}

/**
 * Writes the members of a layer archive into an empty directory in the form overlayfs reads as a lower layer.
 * A whiteout never hides what its own layer brings (layer.md): it only hides the lower layers' file of that name.
 */
export class LayerSink implements TarSink {
  readonly #writer: TreeWriter;
  readonly #replaced = new Set<string>();
  #isMarker = false;
  #hasRoot = false;

  constructor() {
    this.#writer = new TreeWriter({
      base: '/',
      strict: true,
      keepBase: false,
      noOverwriteDirNonDir: false,
      owner: undefined,
      onReplace: (path, old) => {
        if (isWhiteout(old)) this.#replaced.add(path);
      },
      replaceBlocker: (path) => this.#whiteoutToDirectory(path),
    });
  }

  /** Whether an entry for the root directory has come. */
  get hasRoot(): boolean {
    return this.#hasRoot;
  }

  begin(entry: TarEntry): void {
    const name = entryPath(entry.name);
    if (name === '') this.#hasRoot = true;
    const base = baseOf(name);
    const isAufs = name.startsWith(aufsPrefix) && name !== opaqueMarker;
    this.#isMarker = isAufs || base.startsWith(whiteoutPrefix);
    if (!this.#isMarker) {
      this.#writer.begin(entry);
      if (entry.type === 'directory' && this.#replaced.size > 0) this.#hideLower(this.#writer.locate(name));
      return;
    }
    if (isAufs) return;
    if (base === opaqueMarker) this.#makeOpaque(parentOf(name));
    else if (!base.startsWith(aufsPrefix)) this.#whiteOut(entry, name);
  }

  data(bytes: Buffer, position: number): void {
    if (!this.#isMarker) this.#writer.data(bytes, position);
  }

  end(): void {
    if (!this.#isMarker) this.#writer.end();
  }

  /** Sets the times of directories. Call once, after the last entry. */
  close(): void {
    this.#writer.close();
  }

  /** Gives up in the middle of an entry. */
  abort(): void {
    this.#writer.abort();
  }

  #makeOpaque(directory: string): void {
    // A name below the directory makes the writer resolve, and where missing make, the directory itself.
    const path = this.#writer.locate(directory === '' ? 'x' : `${directory}/x`).slice(0, -2);
    setXattr(toHostPath(path || '/'), opaqueXattr, Buffer.from('y'));
  }

  #whiteOut(entry: TarEntry, name: string): void {
    const hidden = baseOf(name).slice(whiteoutPrefix.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw invalid(`bad layer: whiteout "${toText(entry.name)}" names no file`);
    }
    const above = parentOf(name);
    const path = this.#writer.locate(above === '' ? hidden : `${above}/${hidden}`);
    const hostPath = toHostPath(path);
    const old = lstatSync(hostPath, { throwIfNoEntry: false });
    if (old === undefined) makeNode(hostPath, fileTypes.character, { major: 0, minor: 0 });
    else if (old.isDirectory()) setXattr(hostPath, opaqueXattr, Buffer.from('y'));
  }

  /** A directory in the place of a whiteout must not let the lower directory of that name shine through. */
  #hideLower(path: string): void {
    if (this.#replaced.delete(path)) setXattr(toHostPath(path), opaqueXattr, Buffer.from('y'));
  }

  #whiteoutToDirectory(path: string): boolean {
    const hostPath = toHostPath(path);
    const stat = lstatSync(hostPath, { throwIfNoEntry: false });
    if (stat === undefined || !isWhiteout(stat)) return false;
    unlinkSync(hostPath);
    mkdirSync(hostPath, { mode: 0o755 });
    setXattr(hostPath, opaqueXattr, Buffer.from('y'));
    return true;
  }
}
