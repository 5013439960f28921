import { invalid, notImplemented } from '#base';
import { isRecord, type Query } from '../../request/query.ts';
import { type AskedOutput, type BuildOutput, readOutput as outputOf } from '../../session/build-output.ts';

/**
 * What the request wants to become of its build (`-o`). Throws `not-implemented` for outputs that this engine cannot make,
 * `invalid` for what is no list of outputs.
 */
export function requestedOutput(query: Query): BuildOutput {
  const outputs = readOutputs(query.nonEmpty('outputs'));
  if (outputs.some(({ attributes }) => attributes.push === 'true')) {
    throw notImplemented('push=true: push the image when it is built (docker push)');
  }
  return outputOf(outputs);
}

function readOutputs(text: string | undefined): AskedOutput[] {
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

function readOutput(wire: Readonly<Record<string, unknown>>): AskedOutput {
  const { Type = '', Attrs } = wire;
  const entries = isRecord(Attrs) ? Object.entries(Attrs).map(([key, value]) => [key, String(value)] as const) : [];
  return { type: String(Type), attributes: Object.fromEntries(entries) };
}
