import { randomBytes } from 'node:crypto';
import { digestOf, messageOf } from '#base';
import type { BuildEvent, BuildStep } from '#builder';
import type { Trace, TraceStatus, TraceVertex } from '#buildkit';
import { canonicalString, parseReference, withDefaultTag } from '#oci';

/** What BuildKit says of a RUN that failed. */
export function exitText({ command, code }: { readonly command: string; readonly code: number }): string {
  return `process "${command}" did not complete successfully: exit code: ${code}`;
}

/** Work of a build that is none of its steps. */
export interface OpenVertex {
  /** Tells how many bytes have come. */
  readonly onBytes: (total: number) => void;
  /** Waits for the work and closes the vertex, with what it failed with if it does. */
  during<T>(work: Promise<T>): Promise<T>;
  close(error?: unknown): void;
}

/** Instructions that BuildKit shows; the others only change the image's configuration. */
const shownInstructions = /^(FROM|RUN|COPY|ADD|WORKDIR)\b/i;

/** Counts of bytes are told this often at most, in ms. */
const countInterval = 100;

/** Renders a build's events as the messages of BuildKit's status stream, with its names for what is done. */
export class BuildTrace {
  readonly #send: (part: Partial<Trace>) => void;
  /** Makes digests of vertexes differ between builds. */
  readonly #salt = randomBytes(8).toString('hex');
  readonly #steps = new Map<number, TraceVertex>();
  readonly #open = new Map<string, TraceVertex>();
  readonly #counted = new Map<string, number>();
  #all: readonly BuildStep[] = [];
  #names = 0;
  #failedStep: BuildStep | undefined;

  constructor(send: (part: Partial<Trace>) => void) {
    this.#send = send;
  }

  /** Takes the next event of the build. */
  readonly onEvent = (event: BuildEvent): void => {
    switch (event.kind) {
      case 'plan':
        this.#plan(event.steps);
        return;
      case 'warning':
        this.#warn(event.message);
        return;
      case 'image':
        this.#image(event);
        return;
      case 'step-start':
        this.#start(event.step);
        return;
      case 'step-running':
        return;
      case 'step-output':
        this.#output(event);
        return;
      case 'step-progress':
        this.#progress(event);
        return;
      case 'step-done':
        this.#done(event);
        return;
      case 'step-failed':
        this.#failed(event);
        return;
    }
  };

  /** The step that failed first, once one has. */
  get failedStep(): BuildStep | undefined {
    return this.#failedStep;
  }

  /** Starts something that is no step; `label` is what its bytes are counted under. */
  open(name: string, label: string): OpenVertex {
    const vertex = this.#begin({ digest: this.#digest(name), name });
    const started = Date.now();
    let last = 0;
    const status = (rest: Partial<TraceStatus>) =>
      this.#send({
        statuses: [this.#status(vertex, label, { name: 'transferring', current: last, started, ...rest })],
      });
    const close = (error?: unknown) => {
      if (!this.#open.has(vertex.digest)) return;
      status({ completed: Date.now() });
      this.#complete(vertex, error === undefined ? {} : { error: messageOf(error) });
    };
    return {
      onBytes: (total) => {
        last = total;
        if (this.#isDue(vertex.digest)) status({});
      },
      async during(work) {
        try {
          const result = await work;
          close();
          return result;
        } catch (error) {
          close(error);
          throw error;
        }
      },
      close,
    };
  }

  /** The build has failed: what was under way did not come to its end. */
  end(): void {
    for (const vertex of [...this.#open.values()]) this.#complete(vertex, { error: 'context canceled' });
  }

  #plan(steps: readonly BuildStep[]): void {
    this.#all = steps;
    const vertexes = vertexesOf(steps, (name) => this.#digest(name));
    for (const [number, vertex] of vertexes) this.#steps.set(number, vertex);
    this.#send({ vertexes: [...vertexes.values()] });
  }

  #start(step: number): void {
    const vertex = this.#steps.get(step);
    if (vertex !== undefined && vertex.started === undefined) this.#steps.set(step, this.#begin(vertex));
  }

  #output({ step, stream, data }: Extract<BuildEvent, { kind: 'step-output' }>): void {
    const vertex = this.#steps.get(step);
    if (vertex === undefined) return;
    const log = { vertex: vertex.digest, timestamp: Date.now(), stream: stream === 'stdout' ? 1 : 2, data };
    this.#send({ logs: [log] });
  }

  #progress({ step, progress }: Extract<BuildEvent, { kind: 'step-progress' }>): void {
    const vertex = this.#steps.get(step);
    const { id, status, current, total } = progress;
    if (vertex === undefined || id === undefined || current === undefined) return;
    // The last count is told in any case: it is what stays on the screen.
    if (current !== total && !this.#isDue(`${vertex.digest} ${id}`)) return;
    const label = `${status} ${id}`;
    this.#send({
      statuses: [
        this.#status(vertex, label, {
          current,
          ...(total === undefined ? {} : { total }),
          started: vertex.started ?? Date.now(),
          ...(current === total ? { completed: Date.now() } : {}),
        }),
      ],
    });
  }

  #done({ step, cached }: Extract<BuildEvent, { kind: 'step-done' }>): void {
    this.#start(step);
    const vertex = this.#steps.get(step);
    if (vertex !== undefined) this.#complete(vertex, { cached });
  }

  #failed({ step, message, exit }: Extract<BuildEvent, { kind: 'step-failed' }>): void {
    const found = this.#all.find(({ number }) => number === step);
    if (found === undefined) return;
    this.#failedStep ??= found;
    // An instruction that is not shown is, when it fails.
    if (!this.#steps.has(step)) this.#steps.set(step, { digest: this.#digest(`${step}`), name: found.text });
    this.#start(step);
    const vertex = this.#steps.get(step);
    if (vertex !== undefined) this.#complete(vertex, { error: exit === undefined ? message : exitText(exit) });
  }

  #warn(message: string): void {
    const [vertex] = this.#steps.values();
    this.#send({ warnings: [{ vertex: vertex?.digest ?? this.#digest(''), level: 1, short: message }] });
  }

  #image({ id, tags }: Extract<BuildEvent, { kind: 'image' }>): void {
    const vertex = this.#begin({ digest: this.#digest('export'), name: 'exporting to image' });
    const now = Date.now();
    const parts = ['exporting layers', `writing image ${id}`, ...tags.map((tag) => `naming to ${canonical(tag)}`)];
    this.#send({ statuses: parts.map((part) => this.#status(vertex, part, { started: now, completed: now })) });
    this.#complete(vertex, {});
  }

  #begin(vertex: TraceVertex): TraceVertex {
    const started = { ...vertex, started: Date.now() };
    this.#open.set(vertex.digest, started);
    this.#send({ vertexes: [started] });
    return started;
  }

  #complete(vertex: TraceVertex, rest: Pick<TraceVertex, 'cached' | 'error'>): void {
    if (!this.#open.delete(vertex.digest)) return;
    this.#send({ vertexes: [{ ...vertex, completed: Date.now(), ...rest }] });
  }

  #status(vertex: TraceVertex, id: string, rest: Partial<TraceStatus>): TraceStatus {
    return { ...rest, id, vertex: vertex.digest, timestamp: Date.now() };
  }

  /** True when enough time has gone by since the last count of that key. */
  #isDue(key: string): boolean {
    const now = Date.now();
    if (now - (this.#counted.get(key) ?? 0) < countInterval) return false;
    this.#counted.set(key, now);
    return true;
  }

  #digest(name: string): string {
    this.#names++;
    return digestOf(Buffer.from(`${this.#salt} ${this.#names} ${name}`));
  }
}

/** The steps that are shown, numbered within their stages: `[base 2/5] RUN make`. */
function vertexesOf(steps: readonly BuildStep[], digest: (name: string) => string): Map<number, TraceVertex> {
  const stages = new Map<string, BuildStep[]>();
  for (const step of steps) {
    const list = stages.get(step.stage) ?? [];
    stages.set(step.stage, list);
    if (isShown(step, [...stages.keys()])) list.push(step);
  }
  // Arguments before the first FROM belong to no stage.
  stages.delete('');
  const vertexes = new Map<number, TraceVertex>();
  for (const [stage, list] of stages) {
    const prefix = stages.size === 1 ? '' : `${/^\d+$/.test(stage) ? `stage-${stage}` : stage} `;
    let before: string | undefined;
    for (const [index, step] of list.entries()) {
      const name = `[${prefix}${index + 1}/${list.length}] ${shownText(step.text)}`;
      const vertex = { digest: digest(name), name, inputs: before === undefined ? [] : [before] };
      before = vertex.digest;
      vertexes.set(step.number, vertex);
    }
  }
  return vertexes;
}

const fromInstruction = /^FROM\s+((?:--\S+\s+)*)(\S+)/i;

function isShown({ text }: BuildStep, stages: readonly string[]): boolean {
  if (!shownInstructions.test(text)) return false;
  const base = fromInstruction.exec(text)?.[2];
  // Nothing is done for an empty image, nor for a stage that begins where another ends.
  return base === undefined || (base !== 'scratch' && !stages.slice(0, -1).includes(base.toLowerCase()));
}

function shownText(text: string): string {
  const base = fromInstruction.exec(text)?.[2];
  return base === undefined ? text : `FROM ${canonical(base)}`;
}

/** An image's name in full; what is no name, such as one with a variable, as it is. */
function canonical(name: string): string {
  try {
    return canonicalString(withDefaultTag(parseReference(name)));
  } catch {
    return name;
  }
}
