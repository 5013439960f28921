import { invalid, messageOf } from '#base';
import type { ProjectContext } from '../commands/context.ts';
import { restart } from '../commands/lifecycle.ts';
import { containersOfServices } from '../commands/select-services.ts';
import { up } from '../commands/up.ts';
import { observeContainers, runHook } from '../execute/index.ts';
import type { Service } from '../model/index.ts';
import { imageName, labels, type ObservedContainer } from '../plan/index.ts';
import { initialFiles } from './initial-files.ts';
import { syncFiles } from './sync-files.ts';
import { isWithin, TreeWatcher } from './tree-watcher.ts';
import type { WatchOptions } from './watch-options.ts';
import { type PathMapping, WatchRule } from './watch-rule.ts';

function bindMounted(service: Service, path: string): boolean {
  return (service.volumes ?? []).some(
    ({ type, source }) => type === 'bind' && source !== undefined && isWithin(source, path),
  );
}

/**
 * The rules of the services asked for. Throws `invalid`, with docker compose's texts, where there are none or a rule
 * asks for a build that there cannot be.
 */
function watchRules(context: ProjectContext, options: Pick<WatchOptions, 'services' | 'build'>): WatchRule[] {
  const names = options.services.length > 0 ? options.services : Object.keys(context.project.services);
  const rules: WatchRule[] = [];
  let configured = false;
  for (const name of names) {
    const service = context.project.services[name];
    for (const trigger of service?.develop?.watch ?? []) {
      if (service === undefined) continue;
      configured = true;
      if (trigger.action === 'rebuild' && service.build === undefined) {
        throw invalid(`can't watch service "${name}" with action rebuild without a build context`);
      }
      if (trigger.action === 'rebuild' && !options.build) {
        throw invalid(`--no-build is incompatible with watch action rebuild in service ${name}`);
      }
      const rule = new WatchRule(service, trigger);
      if (rule.syncs && bindMounted(service, trigger.path)) {
        context.reporter.warn(
          `path '${trigger.path}' also declared by a bind mount volume, this path won't be monitored!`,
        );
      } else rules.push(rule);
    }
  }
  if (!configured) {
    throw invalid("none of the selected services is configured for watch, consider setting a 'develop' section");
  }
  return rules;
}

/** What one batch of changes asks for. */
interface Demands {
  readonly rebuild: Set<string>;
  readonly sync: Map<string, PathMapping[]>;
  readonly restart: Set<string>;
  readonly exec: Set<WatchRule>;
}

function demandsOf(rules: readonly WatchRule[], paths: readonly string[]): Demands {
  const demands: Demands = { rebuild: new Set(), sync: new Map(), restart: new Set(), exec: new Set() };
  for (const rule of rules) {
    const mappings = paths.flatMap((path) => rule.match(path) ?? []);
    if (mappings.length === 0) continue;
    const { name } = rule.service;
    const { action } = rule.trigger;
    if (action === 'rebuild') demands.rebuild.add(name);
    if (rule.syncs) demands.sync.set(name, [...(demands.sync.get(name) ?? []), ...mappings]);
    if (action === 'restart' || action === 'sync+restart') demands.restart.add(name);
    if (action === 'sync+exec') demands.exec.add(rule);
  }
  // A container that is made anew has the files by its image, and its restart is included.
  for (const name of demands.rebuild) demands.restart.delete(name);
  return demands;
}

/** Keeps containers in step with the files they are made of, as `develop.watch` says. */
export class ServiceWatch {
  readonly #context: ProjectContext;
  readonly #options: WatchOptions;
  readonly #rules: readonly WatchRule[];

  /** Throws `invalid` where nothing can be watched. */
  constructor(context: ProjectContext, options: WatchOptions) {
    // A build that is under way ends with the watch.
    this.#context = { ...context, signal: options.signal };
    this.#options = options;
    this.#rules = watchRules(context, options);
  }

  /** Watches until the signal of the options. Throws `unavailable` when the kernel has no watches left. */
  async run(): Promise<void> {
    const { listener, signal } = this.#options;
    const watcher = new TreeWatcher({
      paths: [...new Set(this.#rules.map(({ trigger }) => trigger.path))],
      skips: (directory) => this.#rules.every((rule) => rule.skips(directory)),
    });
    const close = (): void => watcher[Symbol.dispose]();
    signal.addEventListener('abort', close, { once: true });
    try {
      if (signal.aborted) return;
      await watcher.open();
      await this.#initialSync();
      listener.say('Watch enabled');
      for await (const paths of watcher.batches()) await this.#handle(paths);
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** A failure is said and ends nothing: the next change may mend it. */
  async #handle(paths: readonly string[]): Promise<void> {
    const demands = demandsOf(this.#rules, paths);
    try {
      if (demands.rebuild.size > 0) await this.#rebuild([...demands.rebuild]);
      for (const [service, mappings] of demands.sync) await this.#sync(service, mappings);
      if (demands.restart.size > 0) await this.#restart([...demands.restart]);
      for (const rule of demands.exec) await this.#exec(rule);
    } catch (error) {
      if (!this.#options.signal.aborted)
        this.#context.reporter.warn(`Error handling changed files: ${messageOf(error)}`);
    }
    this.#options.listener.settled();
  }

  async #containers(service: string): Promise<ObservedContainer[]> {
    const containers = await observeContainers(this.#context.client, this.#context.projectName);
    return containersOfServices(containers, [service]).filter(({ state }) => state === 'running');
  }

  async #initialSync(): Promise<void> {
    const { client, project } = this.#context;
    for (const rule of this.#rules) {
      if (!rule.syncs || rule.trigger.initial_sync !== true) continue;
      const { Created } = await client.images.inspect(imageName(project, rule.service));
      const mappings = await initialFiles(rule, Created === undefined ? 0 : Date.parse(Created));
      if (mappings.length > 0) await syncFiles(client, await this.#containers(rule.service.name), mappings);
    }
  }

  async #sync(service: string, mappings: readonly PathMapping[]): Promise<void> {
    this.#options.listener.say(`Syncing service "${service}" after ${mappings.length} changes were detected`);
    await syncFiles(this.#context.client, await this.#containers(service), mappings);
  }

  async #restart(services: readonly string[]): Promise<void> {
    await restart(this.#context, { services, noDeps: false, dryRun: false });
    this.#options.listener.say(`service(s) ${quoted(services)} restarted`);
  }

  async #exec(rule: WatchRule): Promise<void> {
    for (const container of await this.#containers(rule.service.name)) {
      this.#options.listener.output(await runHook(this.#context.client, container, rule.trigger.exec));
    }
  }

  async #rebuild(services: readonly string[]): Promise<void> {
    const { listener, source, quietBuild, prune } = this.#options;
    listener.say(`Rebuilding service(s) ${quoted(services)} after changes were detected...`);
    await up(this.#context, {
      services,
      images: { source, build: 'always', quietPull: quietBuild, quietBuild },
      recreate: 'force',
      recreateDependencies: 'never',
      noDeps: true,
      removeOrphans: false,
      ignoreOrphans: true,
      renewAnonymousVolumes: false,
      scale: {},
      start: true,
      wait: false,
      dryRun: false,
      confirmVolume: async () => false,
    });
    listener.say(`service(s) ${quoted(services)} successfully built`);
    if (!prune) return;
    await this.#context.client.images.prune(['dangling=true', `label=${labels.project}=${this.#context.projectName}`]);
  }
}

function quoted(names: readonly string[]): string {
  return `[${names.map((name) => JSON.stringify(name)).join(' ')}]`;
}
