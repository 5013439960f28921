import type { ContainerCreateRequest } from '#api-types';
import { conflict, internal, isBerthError, messageOf } from '#base';
import type { Client } from '#client';
import {
  type ContainerRef,
  containerRequest,
  type FindContainers,
  imageName,
  labels,
  type Operation,
  type Plan,
  resourceName,
} from '../plan/index.ts';
import { ContainerWaits } from './container-waits.ts';
import { deliverFile } from './deliver-file.ts';
import type { ExecuteOptions } from './execute-options.ts';
import { ForeignError } from './overtaken-error.ts';
import { proveContainer } from './prove-container.ts';
import { type Outcome, removeImage, removeUnlessUsed } from './remove-resource.ts';
import { runHook } from './run-hook.ts';

/** Operations that may leave what they are about, which is then told. */
type Removal = Of<'remove-network' | 'remove-volume' | 'remove-image'>;

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/**
 * Does operations of a plan, each by its calls of the API. It knows the ids of the containers that were created by it, so
 * what needs a container comes after its creation.
 */
export class OperationRunner {
  readonly #plan: Plan;
  readonly #options: ExecuteOptions;
  readonly #ids = new Map<string, string>();
  readonly #waits: ContainerWaits;

  constructor(plan: Plan, options: ExecuteOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#waits = new ContainerWaits(options.client, options.projectName);
  }

  /** Ends what it listens to. */
  close(): void {
    this.#waits.close();
  }

  /** Whether an operation created it. */
  wasCreated(container: ContainerRef): boolean {
    return this.#ids.has(container.key);
  }

  #id(container: ContainerRef): string {
    const id = this.#ids.get(container.key) ?? container.id;
    if (id === undefined) throw internal(`container ${container.name} has not been created`);
    return id;
  }

  /** A step names the container it is about: the old one by its id, the new one by what its creation answered. */
  target(container: ContainerRef): string {
    return container.id ?? this.#id(container);
  }

  /** Does one operation; tells what became of what may be left in place. Throws the errors of the API. */
  async perform(operation: Operation): Promise<Outcome> {
    const { client } = this.#options;
    switch (operation.kind) {
      case 'remove-network':
      case 'remove-volume':
        return removeUnlessUsed(this.#options, operation);
      case 'remove-image':
        return removeImage(client, operation.name);
      default:
        await this.#act(operation);
        return undefined;
    }
  }

  async #act(operation: Exclude<Operation, Removal>): Promise<void> {
    const { client } = this.#options;
    switch (operation.kind) {
      case 'create-network':
        await client.networks.create(operation.body);
        return;
      case 'disconnect-network':
        return ignoreMissing(client.networks.disconnect(operation.network, this.target(operation.container), true));
      case 'create-volume':
        await client.volumes.create(operation.body);
        return;
      case 'create-container':
        return this.#create(operation);
      case 'put-file': {
        const { project } = this.#options;
        if (project === undefined) throw internal('a plan with files needs its project');
        return deliverFile(client, this.target(operation.container), { file: operation.file, project });
      }
      case 'start-container':
        return this.#start(operation);
      case 'prove-container': {
        const { container, monitor, timeout } = operation;
        const target = { id: this.#id(container), name: container.name };
        return proveContainer(client, this.#waits, { target, monitor, timeout, signal: this.#options.signal });
      }
      case 'take-over':
        await client.containers.takeOver(this.#id(operation.container));
        return;
      case 'drain-container':
        return drain(client, this.target(operation.container), operation.timeout);
      case 'stop-container':
        return client.containers.stop(this.target(operation.container), timeoutOf(operation)).catch(ignoreStopped);
      case 'restart-container':
        return client.containers.restart(this.target(operation.container), timeoutOf(operation));
      case 'kill-container':
        return client.containers.kill(this.target(operation.container), operation.signal);
      case 'pause-container':
        return client.containers.pause(this.target(operation.container));
      case 'unpause-container':
        return client.containers.unpause(this.target(operation.container));
      case 'remove-container':
        return this.#remove(operation);
      case 'rename-container':
        return client.containers.rename(this.target(operation.container), operation.name);
      case 'run-hook':
        return runHook(
          client,
          { id: this.target(operation.container), name: operation.container.name },
          operation.hook,
        ).then(() => undefined);
      case 'wait-for':
        return this.#wait(operation);
    }
  }

  readonly #find: FindContainers = (service) =>
    (this.#plan.containers[service] ?? []).flatMap((ref) => {
      const id = this.#ids.get(ref.key) ?? ref.id;
      return id === undefined ? [] : [{ ...ref, id }];
    });

  async #create(operation: Of<'create-container'>): Promise<void> {
    const { client } = this.#options;
    const { service, container, createName } = operation;
    const body = await this.#request(operation);
    const platform = service.platform ? { platform: service.platform } : {};
    const created = await client.containers
      .create(body, { name: createName, ...platform })
      .catch((error: unknown) => this.#nameTaken(error));
    this.#ids.set(container.key, created.Id);
    for (const warning of created.Warnings ?? []) this.#options.reporter.warn(warning);
  }

  async #request(operation: Of<'create-container'>): Promise<ContainerCreateRequest> {
    const { client, project, hash, imageIds = {} } = this.#options;
    const { service, container, inherit, replaces } = operation;
    if (project === undefined || hash === undefined) throw internal('a plan that creates containers needs its project');
    let imageVolumes: string[] = [];
    if (inherit !== undefined && inherit.mounts.length > 0) {
      const image = await client.images.inspect(imageName(project, service));
      imageVolumes = Object.keys(image.Config?.Volumes ?? {});
    }
    return containerRequest(service, {
      project,
      number: container.number,
      name: container.name,
      find: this.#find,
      hash,
      imageId: imageIds[service.name],
      ...(inherit === undefined ? {} : { inherited: { mounts: inherit.mounts, imageVolumes } }),
      ...(replaces === undefined ? {} : { replaces }),
    });
  }

  async #start(operation: Of<'start-container'>): Promise<void> {
    const id = this.target(operation.container);
    const { client, starts } = this.#options;
    try {
      if (operation.beside === undefined) await client.containers.start(id).catch(ignoreUnmodified);
      else await client.containers.startBeside(id, this.target(operation.beside));
    } catch (error) {
      starts?.failed(id);
      throw error;
    }
  }

  async #remove(operation: Of<'remove-container'>): Promise<void> {
    const { volumes, force } = operation;
    const id = this.target(operation.container);
    try {
      await this.#options.client.containers.remove(id, { volumes, force });
    } catch (error) {
      if (isBerthError(error, 'not-found')) return;
      if (!isBerthError(error, 'conflict') || !/already in progress/.test(messageOf(error))) throw error;
      await this.#untilRemoved(id);
    }
  }

  /** A name that a container of somebody else has is not free after another look: the error says so. */
  async #nameTaken(error: unknown): Promise<never> {
    const holder = isBerthError(error, 'conflict') && /in use by container "([0-9a-f]+)"/.exec(messageOf(error))?.[1];
    if (!holder) throw error;
    const { client, projectName } = this.#options;
    const found = await client.containers.inspect(holder).catch(() => undefined);
    if (found === undefined || found.Config.Labels?.[labels.project] === projectName) throw error;
    throw new ForeignError('conflict', `${messageOf(error)} It does not belong to project ${projectName}.`, {
      cause: error,
    });
  }

  /** Another client removes it: what comes after needs its name, volumes and networks to be free. */
  async #untilRemoved(id: string): Promise<void> {
    const { client, signal } = this.#options;
    try {
      const { result } = await client.containers.wait(id, { condition: 'removed', ...(signal ? { signal } : {}) });
      await result;
    } catch (error) {
      if (!isBerthError(error, 'not-found')) throw error;
    }
  }

  async #wait(operation: Of<'wait-for'>): Promise<void> {
    const { condition, containers, dependency, required } = operation;
    const { reporter } = this.#options;
    const signal = this.#options.waitSignal ?? this.#options.signal;
    const waitOne = async (container: ContainerRef): Promise<void> => {
      const resource = resourceName('Container', container.name);
      reporter.status({ resource, status: 'Waiting', kind: 'working' });
      try {
        const target = { id: this.#id(container), name: container.name };
        const { outcome, exitCode } = await this.#waits.wait(target, condition, signal);
        if (condition === 'service_completed_successfully' && exitCode !== 0) {
          throw conflict(`service "${dependency}" didn't complete successfully: exit ${exitCode}`);
        }
        reporter.status({ resource, status: outcome, kind: 'done' });
      } catch (error) {
        if (required) {
          reporter.status({ resource, status: 'Error', kind: 'error' });
          const wording = condition === 'running_or_healthy' ? '' : 'dependency failed to start: ';
          if (isBerthError(error, 'conflict') && !messageOf(error).startsWith('service ')) {
            throw conflict(`${wording}${messageOf(error)}`);
          }
          throw error;
        }
        reporter.status({ resource, status: 'Warning', kind: 'warning' });
        reporter.warn(`optional dependency "${dependency}" failed to start: ${messageOf(error)}`);
      }
    };
    const results = await Promise.allSettled(containers.map(waitOne));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }
}

function timeoutOf(operation: { readonly timeout?: number }): { timeout?: number } {
  return operation.timeout === undefined ? {} : { timeout: operation.timeout };
}

function ignoreUnmodified(error: unknown): void {
  if (!isBerthError(error, 'not-modified')) throw error;
}

function ignoreStopped(error: unknown): void {
  if (!isBerthError(error, 'not-found')) ignoreUnmodified(error);
}

/** Gone already is drained, too. */
async function drain(client: Client, id: string, timeout: number): Promise<void> {
  try {
    await client.containers.drain(id, timeout);
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
  }
}

async function ignoreMissing(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
  }
}
