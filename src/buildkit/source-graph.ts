import protobuf from 'protobufjs/light.js';
import { digestOf } from '#base';
import type { SolveDefinition } from './control-methods.ts';
import { codec } from './session-methods.ts';

/** `pb.Op` of BuildKit's solver, as far as it names where something comes from. */
interface Operation {
  readonly inputs: readonly { readonly digest: string; readonly index: number }[];
  readonly source: { readonly identifier: string } | null;
}

const operation = codec<Operation>(
  protobuf.Root.fromJSON({
    nested: {
      Input: { fields: { digest: { type: 'string', id: 1 }, index: { type: 'int64', id: 2 } } },
      Source: { fields: { identifier: { type: 'string', id: 1 } } },
      Operation: {
        fields: { inputs: { rule: 'repeated', type: 'Input', id: 1 }, source: { type: 'Source', id: 3 } },
      },
    },
  }),
  'Operation',
);

/** A graph of one source, and the end that says that the source is the result. Clients hand it on as it is. */
export function graphOfSource(identifier: string): SolveDefinition {
  const source = operation.encode({ inputs: [], source: { identifier } });
  const end = operation.encode({ inputs: [{ digest: digestOf(source), index: 0 }], source: null });
  return { def: [source, end], metadata: { [digestOf(source)]: {}, [digestOf(end)]: {} } };
}

/** The source of a graph that {@link graphOfSource} made; undefined for any other. Throws `invalid` for no graph. */
export function sourceOfGraph({ def }: SolveDefinition): string | undefined {
  const [source, end, ...more] = def.map((bytes) => operation.decode(bytes));
  return end !== undefined && more.length === 0 ? source?.source?.identifier : undefined;
}
