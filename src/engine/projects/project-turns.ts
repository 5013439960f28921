/** Who wants to change a project, and what is told meanwhile. */
export interface TurnRequest {
  /** What is done and by whom, for others to read: `up by anna@laptop`. */
  readonly by: string;
  /** True for what makes the work of all that came before it pointless, such as `down`: they are asked to end. */
  readonly ends: boolean;
  /** It must wait for the work of `holder`. */
  readonly waiting: (holder: string) => void;
  /** It may begin. Called once, and at once when nobody else is at work. */
  readonly granted: () => void;
  /** It should end, because `by` makes its work pointless. */
  readonly asked: (by: string) => void;
  /** Its end: the work is done or its client is gone. */
  readonly signal: AbortSignal;
}

/**
 * Lets those who change one Compose project do so one after the other, in the order in which they came. Advice among
 * clients: nothing is refused to who does not ask. Kept in memory, since a turn ends with its connection.
 */
export class ProjectTurns {
  readonly #queues = new Map<string, TurnRequest[]>();

  /** Queues a request; its turn lasts until its signal. */
  take(project: string, request: TurnRequest): void {
    if (request.signal.aborted) return;
    const queue = this.#queues.get(project) ?? [];
    this.#queues.set(project, queue);
    queue.push(request);
    request.signal.addEventListener('abort', () => this.#leave(project, request), { once: true });
    const [holder] = queue;
    if (holder === undefined || holder === request) {
      request.granted();
      return;
    }
    request.waiting(holder.by);
    if (request.ends) for (const other of queue) if (!other.ends) other.asked(request.by);
  }

  #leave(project: string, request: TurnRequest): void {
    const queue = this.#queues.get(project) ?? [];
    const held = queue[0] === request;
    queue.splice(queue.indexOf(request), 1);
    if (queue.length === 0) this.#queues.delete(project);
    else if (held) queue[0]?.granted();
  }
}
