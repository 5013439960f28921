import type { Readable } from 'node:stream';

/** Tar streams of directories; the archiver's role here. */
export interface VolumeTrees {
  pack(
    root: string,
    path: string,
    options: { readonly rename: string; readonly exact: boolean; readonly signal?: AbortSignal },
  ): Promise<Readable>;
  unpack(
    root: string,
    path: string,
    archive: Readable,
    options: { readonly withBase: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
}
