import protobuf from 'protobufjs/light.js';
import type { Codec, Method } from './grpc.ts';
import { codec } from './session-methods.ts';
import { decodeTrace, encodeTrace, type Trace } from './trace.ts';

/** What BuildKit is asked to build. */
export interface SolveRequest {
  /** Made up by the client; names the build in {@link solveMethods.status}. */
  Ref: string;
  /** The session that has the files. */
  Session: string;
  /** `dockerfile.v0`. */
  Frontend: string;
  /** Options of the front end: `filename`, `target`, `build-arg:NAME`, `context:NAME`, ... */
  FrontendAttrs: Record<string, string>;
  /** What else than usual the build may do, such as `network.host`. */
  Entitlements: string[];
  /** What becomes of the result; BuildKit before 0.14 reads the deprecated pair. */
  Exporters: { Type: string; Attrs: Record<string, string> }[];
  ExporterDeprecated: string;
  ExporterAttrsDeprecated: Record<string, string>;
}

const map = (type: string, id: number): protobuf.IMapField => ({ keyType: 'string', type, id });

const definitions = protobuf.Root.fromJSON({
  nested: {
    SolveRequest: {
      fields: {
        Ref: { type: 'string', id: 1 },
        ExporterDeprecated: { type: 'string', id: 3 },
        ExporterAttrsDeprecated: map('string', 4),
        Session: { type: 'string', id: 5 },
        Frontend: { type: 'string', id: 6 },
        FrontendAttrs: map('string', 7),
        Entitlements: { rule: 'repeated', type: 'string', id: 9 },
        Exporters: { rule: 'repeated', type: 'Exporter', id: 13 },
      },
    },
    Exporter: { fields: { Type: { type: 'string', id: 1 }, Attrs: map('string', 2) } },
    SolveResponse: { fields: { ExporterResponse: map('string', 1) } },
    StatusRequest: { fields: { Ref: { type: 'string', id: 1 } } },
  },
});

const trace: Codec<Trace> = { encode: encodeTrace, decode: decodeTrace };

const solve: Method<SolveRequest, { ExporterResponse: Record<string, string> }> = {
  path: '/moby.buildkit.v1.Control/Solve',
  question: codec(definitions, 'SolveRequest'),
  answer: codec(definitions, 'SolveResponse'),
};

const status: Method<{ Ref: string }, Trace> = {
  path: '/moby.buildkit.v1.Control/Status',
  question: codec(definitions, 'StatusRequest'),
  answer: trace,
};

/** What a client asks of BuildKit itself (`moby.buildkit.v1.Control`), as far as a build of a Dockerfile needs it. */
export const solveMethods = { solve, status } as const;
