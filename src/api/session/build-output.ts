import { invalid, notImplemented } from '#base';

/** One thing that a build's outcome shall be made into, as clients name it. */
export interface AskedOutput {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/** What becomes of a build: an image with names, as they were given, or files for the client as well. */
export interface BuildOutput {
  readonly names: readonly string[];
  /** `local`: a directory; `tar`: an archive. */
  readonly files?: 'local' | 'tar';
}

/** Throws `not-implemented` for outputs that this engine cannot make, `invalid` for several. */
export function readOutput(asked: readonly AskedOutput[]): BuildOutput {
  if (asked.length > 1) throw invalid('multiple outputs not supported: ask for one');
  const [output] = asked;
  switch (output?.type) {
    case undefined:
    case 'cacheonly':
      return { names: [] };
    case 'local':
    case 'tar':
      return { names: [], files: output.type };
    case 'moby':
    case 'image':
      return { names: (output.attributes.name ?? '').split(',').filter((name) => name !== '') };
    default:
      throw notImplemented(
        `output of type ${output?.type}: a build makes an image here, or files (local, tar); save the image (docker save)`,
      );
  }
}
