import { conflict, invalid, isBerthError, newId, notFound } from '#base';
import type { Attachment, ExecTask, ExitStatus } from '#runtime';
import type { LiveContainer } from '../containers/live-container.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import type { RootfsMounts } from '../containers/rootfs/rootfs-mounts.ts';
import { runtimeReason } from '../containers/start/start-failure.ts';
import type { EventJournal } from '../events/events.ts';
import { type Session, withDetach } from '../events/session.ts';
import { execProcess } from './exec-process.ts';
import { execWords } from './exec-words.ts';
import type { Exec, ExecRequest, Execs } from './execs.ts';

/** What execs need. */
export interface ExecDependencies {
  readonly registry: ContainerRegistry;
  readonly events: EventJournal;
  readonly rootfs: RootfsMounts;
}

interface LiveExec {
  readonly id: string;
  readonly container: LiveContainer;
  readonly request: ExecRequest;
  task: ExecTask | undefined;
  started: boolean;
  running: boolean;
  exitCode: number | null;
}

/** How long (ms) a finished exec can still be inspected. */
const memory = 5 * 60_000;

/** Makes the exec use cases. Execs live in memory; processes that outlive the daemon are adopted by id. */
export class ExecService implements Execs {
  readonly #deps: ExecDependencies;
  readonly #execs = new Map<string, LiveExec>();

  constructor(deps: ExecDependencies) {
    this.#deps = deps;
  }

  async create(request: ExecRequest): Promise<string> {
    const container = this.#deps.registry.find(request.container);
    requireRunning(container);
    if (request.cmd.length === 0) throw invalid('No exec command specified');
    const id = newId();
    this.#add({ id, container, request, task: undefined, started: false, running: false, exitCode: null });
    this.#publish(container, `exec_create: ${execWords(request.cmd)}`, id);
    return id;
  }

  async get(id: string): Promise<Exec> {
    const { container, request, task, running, exitCode } = this.#find(id);
    return { id, containerId: container.id, request, running, exitCode, pid: running ? (task?.pid ?? 0) : 0 };
  }

  async start(
    id: string,
    options: { detach: boolean; tty: boolean; consoleSize?: readonly [number, number] },
  ): Promise<Session | undefined> {
    const exec = this.#find(id);
    const { container, request } = exec;
    if (exec.running) throw conflict(`exec command ${id} is already running`);
    if (exec.started) throw conflict(`exec command ${id} has already run`);
    const task = requireRunning(container);
    const size = options.consoleSize ?? request.consoleSize;
    const process = await execProcess(this.#deps.rootfs, container, {
      ...request,
      tty: request.tty || options.tty,
      ...(size ? { consoleSize: size } : {}),
    });
    exec.started = true;
    this.#publish(container, `exec_start: ${execWords(request.cmd)}`, id);
    try {
      const stdin = request.attachStdin && !options.detach;
      const execTask = await task.exec({
        id,
        process,
        stdin,
        attached: !options.detach,
        note: JSON.stringify(request),
      });
      exec.task = execTask;
      const attachment = options.detach ? undefined : await execTask.attach();
      await execTask.start();
      exec.running = true;
      const ended = this.#watch(exec, execTask);
      return attachment && withDetach(untilEnded(attachment, ended), () => this.#publish(container, 'exec_detach', id));
    } catch (error) {
      return this.#failed(exec, { error, detach: options.detach });
    }
  }

  async resize(id: string, size: { rows: number; columns: number }): Promise<void> {
    const { task, running } = this.#find(id);
    if (task === undefined || !running) throw conflict(`exec ${id} is not running`);
    await task.resize(size);
  }

  /** Takes over execs of a container that an earlier daemon started. */
  async adopt(container: LiveContainer): Promise<void> {
    for (const task of (await container.task?.execs()) ?? []) {
      // Probes of the engine's own carry no request: nobody can ask for them.
      if (task.note === undefined) continue;
      const request = JSON.parse(task.note) as ExecRequest;
      const exec = { id: task.id, container, request, task, started: true, running: true, exitCode: null };
      this.#add(exec);
      void this.#watch(exec, task);
    }
  }

  #add(exec: LiveExec): void {
    this.#execs.set(exec.id, exec);
    exec.container.execIds.add(exec.id);
    void exec.container.waits.add('removed').then(() => this.#forget(exec));
  }

  #watch(exec: LiveExec, task: ExecTask): Promise<void> {
    return task.exit.then((status) => this.#ended(exec, status));
  }

  #ended(exec: LiveExec, status: Pick<ExitStatus, 'code'>): void {
    exec.running = false;
    exec.exitCode = status.code;
    exec.container.execIds.delete(exec.id);
    this.#publish(exec.container, 'exec_die', exec.id, { exitCode: String(status.code) });
    setTimeout(() => this.#forget(exec), memory).unref();
  }

  /** An attached client has its connection already: it reads the reason there and the code from inspect, as in Docker. */
  #failed(exec: LiveExec, { error, detach }: { error: unknown; detach: boolean }): Session {
    if (!isBerthError(error)) throw error;
    const reason = runtimeReason(error, exec.request.cmd[0] ?? '');
    const code = error.details.reason === 'not-found' ? 127 : 126;
    this.#ended(exec, { code });
    const text = `OCI runtime exec failed: exec failed: unable to start container process: ${reason}`;
    if (detach) throw invalid(text, { cause: error });
    return {
      output: once(Buffer.from(`${text}\r\n`)),
      write: async () => {},
      endInput: () => {},
      close: () => {},
      detach: () => {},
    };
  }

  #forget(exec: LiveExec): void {
    this.#execs.delete(exec.id);
    exec.container.execIds.delete(exec.id);
  }

  #find(id: string): LiveExec {
    const exec = this.#execs.get(id);
    if (exec === undefined) throw notFound(`No such exec instance: ${id}`);
    return exec;
  }

  #publish(container: LiveContainer, action: string, execID: string, more: Record<string, string> = {}): void {
    this.#deps.events.publish('container', action, container.id, { ...container.eventAttributes, execID, ...more });
  }
}

function requireRunning(container: LiveContainer) {
  const { status } = container.state;
  if (status === 'paused') throw conflict(`Container ${container.name} is paused, unpause the container before exec`);
  if (container.task === undefined) throw conflict(`container ${container.id} is not running`);
  return container.task;
}

/** The same connection, whose output ends only when the exit is recorded. */
function untilEnded(attachment: Attachment, ended: Promise<void>): Attachment {
  let closed = false;
  async function* output() {
    yield* attachment.output;
    if (!closed) await ended;
  }
  return {
    output: output(),
    write: (data) => attachment.write(data),
    endInput: () => attachment.endInput(),
    close: () => {
      closed = true;
      attachment.close();
    },
  };
}

async function* once(data: Buffer) {
  yield { stream: 'stdout' as const, data };
}
