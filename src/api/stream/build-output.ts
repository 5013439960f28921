import type { ProgressMessage } from '#api-types';
import { shortId } from '#base';
import type { BuildEvent, BuildStep } from '#builder';
import { encodeProgress } from './progress.ts';

/** What has been seen of a step, and what waits until earlier steps are shown. */
interface StepState {
  readonly step: BuildStep;
  readonly pending: ProgressMessage[];
  /** Container the step ran in, to be named again when it is gone. */
  containerId?: string;
  started: boolean;
  done: boolean;
}

/**
 * Renders a build's events as the classic builder's messages (`Step 1/5 : FROM x`). Steps of different stages run side
 * by side; their output is held back so that each step is shown whole, in the order of the Dockerfile.
 */
export class ClassicBuildOutput {
  readonly #send: (message: ProgressMessage) => void;
  #steps: StepState[] = [];
  #shown = 0;

  constructor(send: (message: ProgressMessage) => void) {
    this.#send = send;
  }

  /** Takes the next event of the build. */
  readonly onEvent = (event: BuildEvent): void => {
    switch (event.kind) {
      case 'plan':
        this.#steps = event.steps.map((step) => ({ step, pending: [], started: false, done: false }));
        this.#shown = 0;
        return;
      case 'warning':
        this.#send({ stream: `[Warning] ${event.message}\n` });
        return;
      case 'image':
        return;
      case 'step-start':
        this.#start(event.step);
        return;
      case 'step-running':
        this.#running(event.step, event.containerId);
        return;
      case 'step-output':
        this.#emit(event.step, { stream: event.data.toString('utf8') });
        return;
      case 'step-progress':
        this.#emit(event.step, encodeProgress(event.progress));
        return;
      case 'step-failed':
        this.#finish(event.step);
        return;
      case 'step-done':
        this.#done(event);
        return;
    }
  };

  #at(number: number): { state: StepState; index: number } | undefined {
    const index = this.#steps.findIndex(({ step }) => step.number === number);
    const state = this.#steps[index];
    return state === undefined ? undefined : { state, index };
  }

  #start(number: number): void {
    const found = this.#at(number);
    if (found === undefined || found.state.started) return;
    found.state.started = true;
    const { text } = found.state.step;
    this.#emit(number, { stream: `Step ${found.index + 1}/${this.#steps.length} : ${text}` });
    this.#emit(number, { stream: '\n' });
  }

  #running(number: number, containerId: string): void {
    const found = this.#at(number);
    if (found !== undefined) found.state.containerId = containerId;
    this.#emit(number, { stream: ` ---> Running in ${shortId(containerId)}\n` });
  }

  #emit(number: number, message: ProgressMessage): void {
    const found = this.#at(number);
    if (found === undefined || found.index === this.#shown) this.#send(message);
    else found.state.pending.push(message);
  }

  #done(event: Extract<BuildEvent, { kind: 'step-done' }>): void {
    this.#start(event.step);
    if (event.cached) this.#emit(event.step, { stream: ' ---> Using cache\n' });
    const containerId = event.containerId ?? this.#at(event.step)?.state.containerId;
    if (containerId !== undefined) {
      this.#emit(event.step, { stream: ` ---> Removed intermediate container ${shortId(containerId)}\n` });
    }
    if (event.imageId !== undefined) this.#emit(event.step, { stream: ` ---> ${shortId(event.imageId)}\n` });
    this.#finish(event.step);
  }

  #finish(number: number): void {
    const found = this.#at(number);
    if (found === undefined) return;
    found.state.done = true;
    let next = this.#steps[this.#shown];
    while (next !== undefined) {
      for (const message of next.pending.splice(0)) this.#send(message);
      if (!next.done) return;
      this.#shown++;
      next = this.#steps[this.#shown];
    }
  }
}
