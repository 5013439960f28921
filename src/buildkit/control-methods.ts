import protobuf from 'protobufjs/light.js';
import type { Method } from './grpc.ts';
import { codec } from './session-methods.ts';
import { decodeTrace, encodeTrace, type Trace } from './trace.ts';

/** A point in time as protobuf has it (`google.protobuf.Timestamp`). */
export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

/** One thing that a build's outcome is made into: type `moby`, `image`, `local`, `tar` and the like. */
export interface Exporter {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

/** `Control.Solve`: a build begins. Without a front end, what is built is said by calls of the gateway beside it. */
export interface ControlSolve {
  /** Names the build in calls beside this one. */
  readonly Ref: string;
  /** A graph to build; null where there is none. */
  readonly Definition: SolveDefinition | null;
  readonly Session: string;
  /** `dockerfile.v0`, or empty. */
  readonly Frontend: string;
  readonly FrontendAttrs: Readonly<Record<string, string>>;
  readonly Cache: { readonly Exports: readonly Exporter[] } | null;
  /** What else than usual the build may do, such as `network.host`. */
  readonly Entitlements: readonly string[];
  readonly Exporters: readonly Exporter[];
  /** What older clients send in place of `Exporters`. */
  readonly ExporterDeprecated: string;
  readonly ExporterAttrsDeprecated: Readonly<Record<string, string>>;
}

/** A graph of operations, each an encoded `pb.Op`. */
export interface SolveDefinition {
  readonly def: readonly Uint8Array[];
  /** What is said of operations beside them, by digest; clients take a graph without any for none. */
  readonly metadata: Readonly<Record<string, object>>;
}

/** A record of the build cache. */
export interface CacheUsage {
  readonly ID: string;
  readonly Mutable: boolean;
  readonly InUse: boolean;
  /** Bytes. */
  readonly Size: number;
  readonly CreatedAt: Timestamp;
  readonly LastUsedAt: Timestamp;
  readonly UsageCount: number;
  readonly Description: string;
  readonly RecordType: string;
  readonly Shared: boolean;
}

/** What to prune of the build cache. Times in ns, sizes in bytes; 0 where nothing is asked. */
export interface PruneQuestion {
  readonly filter: readonly string[];
  readonly all: boolean;
  readonly keepDuration: number;
  readonly reservedSpace: number;
  readonly maxUsedSpace: number;
}

/** Names what serves, as `docker buildx ls` shows it. */
export interface EngineVersion {
  readonly package: string;
  readonly version: string;
  readonly revision: string;
}

/** What builds: one per engine here. */
export interface WorkerRecord {
  readonly ID: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly platforms: readonly { readonly Architecture: string; readonly OS: string; readonly Variant: string }[];
  readonly BuildkitVersion: EngineVersion;
}

/** Which builds of the past are asked for; `EarlyExit` for those only, without waiting for more. */
export interface HistoryQuestion {
  readonly ActiveOnly: boolean;
  readonly Ref: string;
  readonly EarlyExit: boolean;
}

const field = (type: string, id: number): protobuf.IField => ({ type, id });
const many = (type: string, id: number): protobuf.IField => ({ rule: 'repeated', type, id });
const map = (type: string, id: number): protobuf.IMapField => ({ keyType: 'string', type, id });

/** Messages that the control API and the gateway share, by name. */
export const workerMessages = {
  Version: { fields: { package: field('string', 1), version: field('string', 2), revision: field('string', 3) } },
  Platform: { fields: { Architecture: field('string', 1), OS: field('string', 2), Variant: field('string', 3) } },
  Worker: {
    fields: {
      ID: field('string', 1),
      Labels: map('string', 2),
      platforms: many('Platform', 3),
      BuildkitVersion: field('Version', 5),
    },
  },
  OperationMetadata: { fields: {} },
  Definition: { fields: { def: many('bytes', 1), metadata: map('OperationMetadata', 2) } },
};

const definitions = protobuf.Root.fromJSON({
  nested: {
    ...workerMessages,
    Empty: { fields: {} },
    Time: { fields: { seconds: field('int64', 1), nanos: field('int32', 2) } },
    Exporter: { fields: { Type: field('string', 1), Attrs: map('string', 2) } },
    CacheOptions: { fields: { Exports: many('Exporter', 4) } },
    SolveRequest: {
      fields: {
        Ref: field('string', 1),
        Definition: field('Definition', 2),
        ExporterDeprecated: field('string', 3),
        ExporterAttrsDeprecated: map('string', 4),
        Session: field('string', 5),
        Frontend: field('string', 6),
        FrontendAttrs: map('string', 7),
        Cache: field('CacheOptions', 8),
        Entitlements: many('string', 9),
        Exporters: many('Exporter', 13),
      },
    },
    SolveResponse: { fields: { ExporterResponse: map('string', 1) } },
    StatusRequest: { fields: { Ref: field('string', 1) } },
    Filters: { fields: { filter: many('string', 1) } },
    Usage: {
      fields: {
        ID: field('string', 1),
        Mutable: field('bool', 2),
        InUse: field('bool', 3),
        Size: field('int64', 4),
        CreatedAt: field('Time', 6),
        LastUsedAt: field('Time', 7),
        UsageCount: field('int64', 8),
        Description: field('string', 9),
        RecordType: field('string', 10),
        Shared: field('bool', 11),
      },
    },
    UsageList: { fields: { record: many('Usage', 1) } },
    PruneRequest: {
      fields: {
        filter: many('string', 1),
        all: field('bool', 2),
        keepDuration: field('int64', 3),
        reservedSpace: field('int64', 4),
        maxUsedSpace: field('int64', 5),
      },
    },
    Workers: { fields: { record: many('Worker', 1) } },
    Info: { fields: { buildkitVersion: field('Version', 1) } },
    HistoryRequest: {
      fields: { ActiveOnly: field('bool', 1), Ref: field('string', 2), EarlyExit: field('bool', 3) },
    },
    HistoryUpdate: { fields: { Ref: field('string', 1) } },
  },
});

const service = '/moby.buildkit.v1.Control';

const define = <Question extends object, Answer extends object>(
  name: string,
  question: string,
  answer: string,
): Method<Question, Answer> => ({
  path: `${service}/${name}`,
  question: codec<Question>(definitions, question),
  answer: codec<Answer>(definitions, answer),
});

type Nothing = Record<string, never>;

const status: Method<{ Ref: string }, Trace> = {
  path: `${service}/Status`,
  question: codec(definitions, 'StatusRequest'),
  answer: { encode: encodeTrace, decode: decodeTrace },
};

/** What a client asks of the engine (`moby.buildkit.v1.Control`, API of BuildKit 0.25). */
export const controlMethods = {
  /** Answered when the build is over. */
  solve: define<ControlSolve, { ExporterResponse: Record<string, string> }>('Solve', 'SolveRequest', 'SolveResponse'),
  /** Streams what happens in a build until it is over. */
  status,
  diskUsage: define<{ filter: readonly string[] }, { record: readonly CacheUsage[] }>(
    'DiskUsage',
    'Filters',
    'UsageList',
  ),
  /** Streams what was removed. */
  prune: define<PruneQuestion, CacheUsage>('Prune', 'PruneRequest', 'Usage'),
  listWorkers: define<{ filter: readonly string[] }, { record: readonly WorkerRecord[] }>(
    'ListWorkers',
    'Filters',
    'Workers',
  ),
  info: define<Nothing, { buildkitVersion: EngineVersion }>('Info', 'Empty', 'Info'),
  /** Streams builds of the past, and unless told otherwise those to come. */
  listenHistory: define<HistoryQuestion, Nothing>('ListenBuildHistory', 'HistoryRequest', 'Empty'),
  /** Keeps, forgets or completes a record of the past. */
  updateHistory: define<{ Ref: string }, Nothing>('UpdateBuildHistory', 'HistoryUpdate', 'Empty'),
} as const;
