import { randomBytes } from 'node:crypto';
import { connectGrpc, controlMethods, type GrpcCaller, type Trace } from '#buildkit';
import type { Transport } from './transport.ts';

/** A build of a Dockerfile as BuildKit's own API takes it. */
export interface SolvedBuild {
  /** Id of the session that has the files. */
  readonly session: string;
  /** Options of the Dockerfile front end: `filename`, `build-arg:NAME`, `context:NAME`, ... */
  readonly options: Readonly<Record<string, string>>;
  /** Whole names of the image, with registry and tag. */
  readonly names: readonly string[];
  /** What else than usual the build may do, such as `network.host`. */
  readonly entitlements: readonly string[];
}

/** What a build says, and at last which image it made. */
export type SolveEvent =
  | { readonly kind: 'trace'; readonly trace: Trace }
  | { readonly kind: 'image'; readonly id: string };

/** How long, in ms, the rest of what a failed build says is waited for. */
const lastWords = 3000;

async function* tracesOf(caller: GrpcCaller, ref: string, signal: AbortSignal): AsyncGenerator<Trace> {
  const stream = caller.open(controlMethods.status, { signal });
  try {
    await stream.send({ Ref: ref });
    stream.end();
    yield* stream.received;
  } catch {
    // A build that fails early has no status; its own answer says why.
  }
}

/**
 * Builds by BuildKit's own API (`POST /grpc`), which takes what dockerd's POST /build has no parameter for. The last event
 * is the image. Throws `ApiError` where the engine has no such API, what the build failed with, `canceled` by the signal.
 */
export async function* solveBuild(
  transport: Transport,
  build: SolvedBuild,
  signal?: AbortSignal,
): AsyncGenerator<SolveEvent> {
  const { stream } = await transport.hijack({ method: 'POST', path: '/grpc', ...(signal ? { signal } : {}) }, 'h2c');
  const caller = connectGrpc(stream);
  const watching = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    const ref = randomBytes(16).toString('hex');
    const attributes: Record<string, string> = build.names.length === 0 ? {} : { name: build.names.join(',') };
    const answer = caller.ask(
      controlMethods.solve,
      {
        Ref: ref,
        Definition: null,
        Cache: null,
        Session: build.session,
        Frontend: 'dockerfile.v0',
        FrontendAttrs: { ...build.options },
        Entitlements: [...build.entitlements],
        Exporters: [{ Type: 'moby', Attrs: attributes }],
        ExporterDeprecated: 'moby',
        ExporterAttrsDeprecated: attributes,
      },
      signal ? { signal } : {},
    );
    answer.catch(() => {
      timer = setTimeout(() => watching.abort(), lastWords);
    });
    for await (const trace of tracesOf(caller, ref, watching.signal)) yield { kind: 'trace', trace };
    const { ExporterResponse: made } = await answer;
    yield { kind: 'image', id: made['containerimage.config.digest'] ?? made['containerimage.digest'] ?? '' };
  } finally {
    clearTimeout(timer);
    caller.close();
  }
}
