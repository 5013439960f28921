import { invalid, notImplemented } from '#base';
import type { ControlSolve, Exporter } from '#buildkit';

/** What becomes of a build: an image with names, as they were given, or files for the client as well. */
export interface BuildOutput {
  readonly names: readonly string[];
  /** `local`: a directory; `tar`: an archive. */
  readonly files?: 'local' | 'tar';
}

/** Throws `not-implemented` for outputs that this engine cannot make, `invalid` for several. */
export function readOutput(question: ControlSolve): BuildOutput {
  const exporters = exportersOf(question);
  if (exporters.length > 1) throw invalid('multiple outputs are not supported: ask for one');
  const [exporter] = exporters;
  switch (exporter?.Type) {
    case undefined:
      return { names: [] };
    case 'local':
    case 'tar':
      return { names: [], files: exporter.Type };
    case 'moby':
    case 'image':
      return { names: (exporter.Attrs.name ?? '').split(',').filter((name) => name !== '') };
    default:
      throw notImplemented(
        `output of type ${exporter?.Type}: a build makes an image here, or files (local, tar); save the image (docker save)`,
      );
  }
}

function exportersOf({ Exporters, ExporterDeprecated, ExporterAttrsDeprecated }: ControlSolve): readonly Exporter[] {
  if (Exporters.length > 0 || ExporterDeprecated === '') return Exporters;
  return [{ Type: ExporterDeprecated, Attrs: ExporterAttrsDeprecated }];
}

/** Throws `not-implemented` for a cache that shall be exported where it cannot be. */
export function checkCacheExports({ Cache }: ControlSolve): void {
  // An inline cache adds a note to the image that only BuildKit reads; the image is as good without.
  const other = Cache?.Exports.find(({ Type }) => Type !== 'inline');
  if (other !== undefined) {
    throw notImplemented(`cache export of type ${other.Type}: this engine's build cache stays in its store`);
  }
}
