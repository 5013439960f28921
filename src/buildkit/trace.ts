import protobuf from 'protobufjs/light.js';
import { codec } from './session-methods.ts';

/** One node of the graph that a build works through. Times in ms since the epoch, with fractions. */
export interface TraceVertex {
  /** What tells vertexes apart; sent again with what has changed, the last one counts. */
  readonly digest: string;
  /** Digests of the vertexes that come before this one. */
  readonly inputs?: readonly string[];
  /** `[2/5] RUN make`. */
  readonly name: string;
  readonly cached?: boolean;
  readonly started?: number;
  readonly completed?: number;
  /** What it failed with. */
  readonly error?: string;
}

/** How far a part of a vertex is (`transferring context`). */
export interface TraceStatus {
  /** What is shown: `transferring context:`. */
  readonly id: string;
  readonly vertex: string;
  readonly name?: string;
  /** Bytes done, and to do where that is known (0: not). */
  readonly current?: number;
  readonly total?: number;
  readonly timestamp?: number;
  readonly started?: number;
  readonly completed?: number;
}

/** Output of a vertex. */
export interface TraceLog {
  readonly vertex: string;
  readonly timestamp: number;
  /** 1 for stdout, 2 for stderr. */
  readonly stream: number;
  readonly data: Uint8Array;
}

/** What a build warns of. */
export interface TraceWarning {
  readonly vertex: string;
  readonly level?: number;
  readonly short: string;
  readonly detail?: readonly string[];
  readonly url?: string;
}

/** What happened in a build since the message before (`StatusResponse` of `moby.buildkit.v1`). */
export interface Trace {
  readonly vertexes: readonly TraceVertex[];
  readonly statuses: readonly TraceStatus[];
  readonly logs: readonly TraceLog[];
  readonly warnings: readonly TraceWarning[];
}

const field = (type: string, id: number): protobuf.IField => ({ type, id });
const many = (type: string, id: number): protobuf.IField => ({ rule: 'repeated', type, id });

const definitions = protobuf.Root.fromJSON({
  nested: {
    Time: { fields: { seconds: field('int64', 1), nanos: field('int32', 2) } },
    Vertex: {
      fields: {
        digest: field('string', 1),
        inputs: many('string', 2),
        name: field('string', 3),
        cached: field('bool', 4),
        started: field('Time', 5),
        completed: field('Time', 6),
        error: field('string', 7),
      },
    },
    Status: {
      fields: {
        id: field('string', 1),
        vertex: field('string', 2),
        name: field('string', 3),
        current: field('int64', 4),
        total: field('int64', 5),
        timestamp: field('Time', 6),
        started: field('Time', 7),
        completed: field('Time', 8),
      },
    },
    Log: {
      fields: {
        vertex: field('string', 1),
        timestamp: field('Time', 2),
        stream: field('int64', 3),
        data: field('bytes', 4),
      },
    },
    Warning: {
      fields: {
        vertex: field('string', 1),
        level: field('int64', 2),
        short: field('bytes', 3),
        detail: many('bytes', 4),
        url: field('string', 5),
      },
    },
    Trace: {
      fields: {
        vertexes: many('Vertex', 1),
        statuses: many('Status', 2),
        logs: many('Log', 3),
        warnings: many('Warning', 4),
      },
    },
  },
});

interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

/** How message types look on the wire: times as two numbers, null where there are none; texts of warnings as bytes. */
type Timed<T, Keys extends keyof T> = Omit<T, Keys> & { readonly [key in Keys]: Time | null };
interface WireTrace {
  readonly vertexes: readonly Timed<Required<TraceVertex>, 'started' | 'completed'>[];
  readonly statuses: readonly Timed<Required<TraceStatus>, 'timestamp' | 'started' | 'completed'>[];
  readonly logs: readonly Timed<TraceLog, 'timestamp'>[];
  readonly warnings: readonly (Omit<Required<TraceWarning>, 'short' | 'detail'> & {
    readonly short: Uint8Array;
    readonly detail: readonly Uint8Array[];
  })[];
}

const wire = codec<WireTrace>(definitions, 'Trace');

/** A trace as protobuf. What is left out of `trace` is empty. */
export function encodeTrace(trace: Partial<Trace>): Uint8Array {
  return wire.encode({
    vertexes: (trace.vertexes ?? []).map((vertex) => ({
      ...{ inputs: [], cached: false, error: '', ...vertex },
      started: toTime(vertex.started),
      completed: toTime(vertex.completed),
    })),
    statuses: (trace.statuses ?? []).map((status) => ({
      ...{ name: '', current: 0, total: 0, ...status },
      timestamp: toTime(status.timestamp),
      started: toTime(status.started),
      completed: toTime(status.completed),
    })),
    logs: (trace.logs ?? []).map((log) => ({ ...log, timestamp: toTime(log.timestamp) })),
    warnings: (trace.warnings ?? []).map(({ short, detail = [], ...rest }) => ({
      ...{ level: 0, url: '', ...rest },
      short: Buffer.from(short),
      detail: detail.map((line) => Buffer.from(line)),
    })),
  });
}

/** Reads a trace. Throws `invalid` for bytes that are none. */
export function decodeTrace(bytes: Uint8Array): Trace {
  const trace = wire.decode(bytes);
  return {
    vertexes: trace.vertexes.map(({ started, completed, error, ...rest }) => ({
      ...rest,
      ...optionalTime('started', started),
      ...optionalTime('completed', completed),
      ...(error === '' ? {} : { error }),
    })),
    statuses: trace.statuses.map(({ timestamp, started, completed, ...rest }) => ({
      ...rest,
      ...optionalTime('timestamp', timestamp),
      ...optionalTime('started', started),
      ...optionalTime('completed', completed),
    })),
    logs: trace.logs.map(({ timestamp, ...rest }) => ({ ...rest, timestamp: fromTime(timestamp) ?? 0 })),
    warnings: trace.warnings.map(({ short, detail, ...rest }) => ({
      ...rest,
      short: Buffer.from(short).toString('utf8'),
      detail: detail.map((line) => Buffer.from(line).toString('utf8')),
    })),
  };
}

function toTime(ms: number | undefined): Time | null {
  if (ms === undefined) return null;
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.floor((ms - seconds * 1000) * 1e6) };
}

function fromTime(time: Time | null): number | undefined {
  return time === null ? undefined : time.seconds * 1000 + time.nanos / 1e6;
}

function optionalTime<Key extends string>(key: Key, time: Time | null): { readonly [key in Key]?: number } {
  const ms = fromTime(time);
  return ms === undefined ? {} : ({ [key]: ms } as { readonly [key in Key]?: number });
}
