import protobuf from 'protobufjs/light.js';
import { type SolveDefinition, type WorkerRecord, workerMessages } from './control-methods.ts';
import type { Method } from './grpc.ts';
import { codec } from './session-methods.ts';

/** Names the build that a call of the gateway belongs to: the `Ref` of its `Control.Solve`. Key of metadata. */
export const buildIdKey = 'buildkit-controlapi-buildid';

/** Something that the engine can or cannot do. */
export interface Capability {
  readonly ID: string;
  readonly Enabled: boolean;
}

/** What a build comes to, for as long as it lasts: named by an id, and by a graph that other builds can begin with. */
export interface BuildRef {
  readonly id: string;
  readonly def: SolveDefinition | null;
}

/** What a client's part of a build comes to. */
export interface GatewayResult {
  /** Null where there is none. */
  readonly ref: BuildRef | null;
  /** By platform, where there are several. */
  readonly refs: { readonly refs: Readonly<Record<string, BuildRef>> } | null;
}

/** `LLBBridge.Solve`: what shall be built. */
export interface GatewaySolve {
  readonly Definition: SolveDefinition | null;
  readonly Frontend: string;
  readonly FrontendOpt: Readonly<Record<string, string>>;
  /** Results of other builds, by the names under which the options mention them (`input:NAME`). */
  readonly FrontendInputs: Readonly<Record<string, SolveDefinition>>;
  /** Wants it built before this is answered. */
  readonly Evaluate: boolean;
}

/** The end of the client's part: a result, or what it failed with (`google.rpc.Status`). */
export interface GatewayReturn {
  readonly result: GatewayResult | null;
  readonly error: { readonly code: number; readonly message: string } | null;
}

const field = (type: string, id: number): protobuf.IField => ({ type, id });
const many = (type: string, id: number): protobuf.IField => ({ rule: 'repeated', type, id });
const map = (type: string, id: number): protobuf.IMapField => ({ keyType: 'string', type, id });

const definitions = protobuf.Root.fromJSON({
  nested: {
    ...workerMessages,
    Empty: { fields: {} },
    Capability: { fields: { ID: field('string', 1), Enabled: field('bool', 2) } },
    Pong: {
      fields: {
        FrontendAPICaps: many('Capability', 1),
        LLBCaps: many('Capability', 2),
        Workers: many('Worker', 3),
      },
    },
    SolveRequest: {
      fields: {
        Definition: field('Definition', 1),
        Frontend: field('string', 2),
        FrontendOpt: map('string', 3),
        FrontendInputs: map('Definition', 13),
        Evaluate: field('bool', 14),
      },
    },
    Ref: { fields: { id: field('string', 1), def: field('Definition', 2) } },
    RefMap: { fields: { refs: map('Ref', 1) } },
    Result: { fields: { ref: field('Ref', 3), refs: field('RefMap', 4) } },
    SolveResponse: { fields: { ref: field('string', 1), result: field('Result', 3) } },
    EvaluateRequest: { fields: { Ref: field('string', 1) } },
    Status: { fields: { code: field('int32', 1), message: field('string', 2) } },
    ReturnRequest: { fields: { result: field('Result', 1), error: field('Status', 2) } },
  },
});

const define = <Question extends object, Answer extends object>(
  name: string,
  question: string,
  answer: string,
): Method<Question, Answer> => ({
  path: `/moby.buildkit.v1.frontend.LLBBridge/${name}`,
  question: codec<Question>(definitions, question),
  answer: codec<Answer>(definitions, answer),
});

type Nothing = Record<string, never>;

/** What the client's part of a build asks (`moby.buildkit.v1.frontend.LLBBridge`); metadata {@link buildIdKey} says which. */
export const gatewayMethods = {
  ping: define<
    Nothing,
    {
      FrontendAPICaps: readonly Capability[];
      LLBCaps: readonly Capability[];
      Workers: readonly WorkerRecord[];
    }
  >('Ping', 'Empty', 'Pong'),
  solve: define<GatewaySolve, { result: GatewayResult }>('Solve', 'SolveRequest', 'SolveResponse'),
  evaluate: define<{ Ref: string }, Nothing>('Evaluate', 'EvaluateRequest', 'Empty'),
  return: define<GatewayReturn, Nothing>('Return', 'ReturnRequest', 'Empty'),
} as const;
