import { invalid, notImplemented } from '#base';
import type { ControlSolve, Exporter } from '#buildkit';

/**
 * Names that the image of a build shall have, as they were given. Throws `not-implemented` for outputs that are no image
 * of this engine's store, `invalid` for several.
 */
export function exportedNames(question: ControlSolve): string[] {
  const exporters = exportersOf(question);
  if (exporters.length > 1) throw invalid('multiple outputs are not supported: ask for one');
  const [exporter] = exporters;
  if (exporter === undefined) return [];
  if (exporter.Type !== 'moby' && exporter.Type !== 'image') {
    throw notImplemented(
      `output of type ${exporter.Type}: a build makes an image here; create a container of it and copy or export its files`,
    );
  }
  return (exporter.Attrs.name ?? '').split(',').filter((name) => name !== '');
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
