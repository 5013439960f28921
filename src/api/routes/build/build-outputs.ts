import { invalid, notImplemented } from '#base';
import { isRecord, type Query } from '../../request/query.ts';
import { fullTag } from './build-options.ts';

/**
 * Names that the outputs of a build (`-o`) give to its image. Throws `not-implemented` for outputs that are no image in
 * this engine's store, `invalid` for what is no list of outputs.
 */
export function outputTags(query: Query): string[] {
  const outputs = readOutputs(query.nonEmpty('outputs'));
  if (outputs.length > 1) throw invalid('multiple outputs not supported');
  const [output] = outputs;
  if (output === undefined || output.type === 'cacheonly') return [];
  if (output.type !== 'moby' && output.type !== 'image') {
    throw notImplemented(
      `output of type ${output.type}: a build makes an image here; create a container of it and copy or export its files`,
    );
  }
  if (output.attributes.push === 'true')
    throw notImplemented('push=true: push the image when it is built (docker push)');
  return (output.attributes.name ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map(fullTag);
}

interface Output {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

function readOutputs(text: string | undefined): Output[] {
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    if (list === null) return [];
    if (Array.isArray(list) && list.every(isRecord)) return list.map(readOutput);
  } catch {
    // Falls through: not JSON.
  }
  throw invalid('error reading outputs: want a JSON list of objects with Type and Attrs');
}

function readOutput(wire: Readonly<Record<string, unknown>>): Output {
  const { Type = '', Attrs } = wire;
  const entries = isRecord(Attrs) ? Object.entries(Attrs).map(([key, value]) => [key, String(value)] as const) : [];
  return { type: String(Type), attributes: Object.fromEntries(entries) };
}
