import { messageOf, notFound } from '#base';
import {
  type Attached,
  observeContainers,
  type Plan,
  type ProjectContext,
  ProjectWatch,
  prepareWatch,
  type Reporter,
  stop,
  type UpOptions,
  up,
  withDependencies,
} from '#compose';
import type { ComposeInvocation } from './compose-command.ts';
import { LogPrinter, wantsColour } from './log-printer.ts';
import type { Opened } from './open-project.ts';
import { watchOptions } from './watch-options.ts';

/** Which services' output is shown. */
function wantedServices(invocation: ComposeInvocation, context: ProjectContext): (service: string) => boolean {
  const { flags, args } = invocation;
  const { services } = context.project;
  const only = flags.list('attach');
  const without = new Set(flags.list('no-attach'));
  const missing = only.filter((name) => services[name] === undefined);
  if (missing.length > 0) throw notFound(`cannot attach to services not included in up: ${missing.join(', ')}`);
  let names = only.length > 0 ? only : args.length > 0 ? args : Object.keys(services);
  if (flags.bool('attach-dependencies')) names = [...withDependencies(services, names)];
  const wanted = new Set(names);
  return (service) =>
    wanted.has(service) && !without.has(service) && (only.includes(service) || services[service]?.attach !== false);
}

/** What ends an attached `up` before its containers do. */
class Endings {
  #abort: (code: number) => void = () => undefined;
  /** Resolves with the exit code when a container's end is to end all. */
  readonly aborted: Promise<number>;
  #exitCode: number | undefined;
  readonly #invocation: ComposeInvocation;

  constructor(invocation: ComposeInvocation) {
    this.#invocation = invocation;
    this.aborted = new Promise((resolve) => {
      this.#abort = resolve;
    });
  }

  /** The exit code of the service that `--exit-code-from` names, once it has ended. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  onExit(container: Attached, code: number): void {
    const { flags } = this.#invocation;
    const from = flags.string('exit-code-from');
    if (from !== '' && container.service === from) this.#exitCode ??= code;
    const aborts =
      from !== '' || flags.bool('abort-on-container-exit') || (flags.bool('abort-on-container-failure') && code !== 0);
    if (aborts) this.#abort(code);
  }
}

/** Brings the project up and shows its output until all has ended, the user stops it, or a container's end does. */
export async function upAttached(
  invocation: ComposeInvocation,
  opened: Opened<ProjectContext>,
  options: UpOptions,
): Promise<number> {
  const { terminal, flags, compose } = invocation;
  const { context } = opened;
  const wants = wantedServices(invocation, context);
  const printer = new LogPrinter({
    terminal,
    colour: wantsColour(terminal, { ansi: compose.ansi, noColor: flags.bool('no-color') }),
    prefix: !flags.bool('no-log-prefix'),
    projectName: context.projectName,
    above: (write) => context.reporter.above(write),
  });
  const endings = new Endings(invocation);
  const stage = { starting: false };
  const stopping = new AbortController();
  const watch = new ProjectWatch(context, {
    wants,
    timestamps: flags.bool('timestamps'),
    listener: {
      line: (container, line, stream) => printer.line(container.name, line, stream),
      exited: (container, code) => {
        // Until all is made, those that end are those that are replaced.
        if (!stage.starting) return;
        if (wants(container.service)) printer.note(container.name, `exited with code ${code}`);
        endings.onExit(container, code);
      },
      restarting: (container, code) => {
        if (wants(container.service)) printer.note(container.name, `exited with code ${code} (restarting)`);
      },
    },
  });
  const isNamed = (service: string): boolean => options.services.length === 0 || options.services.includes(service);
  const stopAll = async (): Promise<void> => {
    await stop(context, { services: options.services, timeout: options.timeout, dryRun: false });
    await watch.whenIdle(isNamed);
  };
  const interrupt = onInterrupt(invocation, { stopping, kill: () => killAll(context) });
  const develop = flags.bool('watch')
    ? await prepareWatch(context, {
        ...watchOptions(invocation, opened.client, (text) => terminal.stdout.write(printer.remark(text))),
        services: options.services,
        build: options.images.build !== 'never',
        quietBuild: flags.bool('quiet-build'),
        prune: true,
        signal: stopping.signal,
      })
    : undefined;
  try {
    await watch.open();
    const onMade = (plan: Plan): void => {
      context.reporter.close();
      const made = Object.values(plan.containers).flat();
      const shown = made.filter(({ service }) => wants(service)).map(({ name }) => printer.label(name));
      printer.expect(shown);
      terminal.stdout.write(`Attaching to ${shown.sort().join(', ')}\n`);
      stage.starting = true;
      for (const { id, name, service } of made) {
        if (id !== undefined && isRunning.has(id)) watch.attach({ id, name, service }, { follow: true, tail: '0' });
      }
    };
    const found = await observeContainers(context.client, context.projectName);
    const isRunning = new Set(found.filter(({ state }) => state === 'running').map(({ id }) => id));
    await up(
      { ...context, reporter: quietStarts(context.reporter, stage), signal: stopping.signal },
      { ...options, onMade, starts: watch.starts },
    );
    const outcome = await Promise.race([
      // While files are watched, containers that have all ended may yet be replaced.
      develop?.run().then(() => 'interrupted' as const) ?? watch.whenIdle(isNamed).then(() => 'idle' as const),
      endings.aborted,
      interrupt.requested,
    ]);
    context.reporter.close();
    if (outcome === 'idle') return endings.exitCode ?? 0;
    if (outcome !== 'interrupted') terminal.stderr.write('Aborting on container exit...\n');
    await stopAll();
    context.reporter.close();
    return outcome === 'interrupted' ? 130 : (endings.exitCode ?? outcome);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    await stopAll().catch((failure: unknown) => context.reporter.warn(messageOf(failure)));
    return 130;
  } finally {
    interrupt.dispose();
    await watch.close();
    context.reporter.close();
  }
}

/** The reporter, without statuses while containers are started: then their own output is what there is to see. */
function quietStarts(reporter: Reporter, stage: { readonly starting: boolean }): Reporter {
  return {
    status: (event) => {
      if (!stage.starting) reporter.status(event);
    },
    warn: (message) => reporter.warn(message),
    print: (text) => reporter.print(text),
  };
}

async function killAll(context: ProjectContext): Promise<void> {
  const containers = await observeContainers(context.client, context.projectName);
  await Promise.allSettled(
    containers.filter(({ state }) => state === 'running').map(({ id }) => context.client.containers.kill(id, 'KILL')),
  );
}

/** First Ctrl-C: stop gracefully. Second: kill. */
function onInterrupt(
  invocation: ComposeInvocation,
  options: { stopping: AbortController; kill: () => Promise<void> },
): { requested: Promise<'interrupted'>; dispose: () => void } {
  let request: (value: 'interrupted') => void = () => undefined;
  const requested = new Promise<'interrupted'>((resolve) => {
    request = resolve;
  });
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    if (count === 1) {
      invocation.terminal.stderr.write('Gracefully Stopping... press Ctrl+C again to force\n');
      options.stopping.abort();
      request('interrupted');
    } else if (count === 2) void options.kill();
    else process.exit(130);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    requested,
    dispose: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
