import { notImplemented } from '#base';
import type { ControlSolve } from '#buildkit';
import { type BuildOutput, readOutput } from '../session/build-output.ts';

/** Throws `not-implemented` for outputs that this engine cannot make, `invalid` for several. */
export function outputOf({ Exporters, ExporterDeprecated, ExporterAttrsDeprecated }: ControlSolve): BuildOutput {
  const older = ExporterDeprecated === '' ? [] : [{ Type: ExporterDeprecated, Attrs: ExporterAttrsDeprecated }];
  const asked = Exporters.length > 0 ? Exporters : older;
  return readOutput(asked.map(({ Type, Attrs }) => ({ type: Type, attributes: Attrs })));
}

/** Throws `not-implemented` for a cache that shall be exported where it cannot be. */
export function checkCacheExports({ Cache }: ControlSolve): void {
  // An inline cache adds a note to the image that only BuildKit reads; the image is as good without.
  const other = Cache?.Exports.find(({ Type }) => Type !== 'inline');
  if (other !== undefined) {
    throw notImplemented(`cache export of type ${other.Type}: this engine's build cache stays in its store`);
  }
}
