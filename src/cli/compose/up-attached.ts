import { messageOf, notFound } from '#base';
import {
  type Attached,
  observeContainers,
  type Plan,
  type ProjectContext,
  ProjectWatch,
  type Reporter,
  stop,
  type UpOptions,
  up,
  withDependencies,
} from '#compose';
import type { ComposeInvocation } from './compose-command.ts';
import { Interrupts } from './interrupts.ts';
import { isTrue } from './is-true.ts';
import { LogPrinter, wantsColour } from './log-printer.ts';
import type { Opened } from './open-project.ts';
import { SwitchedWatch } from './switched-watch.ts';
import { canShowMenu, UpMenu } from './up-menu.ts';

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

/** How an attached `up` ends: by itself, by the user who stops it or goes, or with the exit code of a container. */
type Outcome = 'idle' | 'interrupted' | 'detached' | number;

/** Brings the project up and shows its output until all has ended, the user stops it or goes, or a container's end does. */
export function upAttached(
  invocation: ComposeInvocation,
  opened: Opened<ProjectContext>,
  options: UpOptions,
): Promise<number> {
  return new AttachedUp(invocation, opened, options).run();
}

class AttachedUp {
  readonly #invocation: ComposeInvocation;
  readonly #context: Opened<ProjectContext>['context'];
  readonly #options: UpOptions;
  readonly #wants: (service: string) => boolean;
  readonly #printer: LogPrinter;
  readonly #endings: Endings;
  readonly #watch: ProjectWatch;
  readonly #develop: SwitchedWatch;
  readonly #interrupts: Interrupts;
  readonly #colour: boolean;
  #detach: () => void = () => undefined;
  readonly #detached: Promise<'detached'>;
  #menu: UpMenu | undefined;
  /** All is made: from here on it is the containers that one looks at. */
  #attached = false;
  #running: ReadonlySet<string> = new Set();

  constructor(invocation: ComposeInvocation, opened: Opened<ProjectContext>, options: UpOptions) {
    const { terminal, flags, compose } = invocation;
    const { context, client } = opened;
    this.#invocation = invocation;
    this.#context = context;
    this.#options = options;
    this.#wants = wantedServices(invocation, context);
    this.#colour = wantsColour(terminal, { ansi: compose.ansi, noColor: flags.bool('no-color') });
    this.#printer = new LogPrinter({
      terminal,
      colour: this.#colour,
      prefix: !flags.bool('no-log-prefix'),
      projectName: context.projectName,
      above: (write) => context.reporter.above(write),
    });
    this.#endings = new Endings(invocation);
    this.#detached = new Promise((resolve) => {
      this.#detach = () => resolve('detached');
    });
    this.#interrupts = new Interrupts({
      graceful: () => this.#attached,
      say: (text) => {
        this.#menu?.[Symbol.dispose]();
        context.reporter.above(() => terminal.stderr.write(text));
      },
      kill: () => this.#kill(),
    });
    this.#watch = new ProjectWatch(context, {
      wants: this.#wants,
      timestamps: flags.bool('timestamps'),
      listener: {
        line: (container, line, stream) => this.#printer.line(container.name, line, stream),
        exited: (container, code) => this.#onExit(container, code),
        replaced: ({ name, service }) => {
          if (this.#attached && this.#wants(service)) this.#printer.note(name, 'has been recreated');
        },
        restarting: (container, code) => {
          if (this.#wants(container.service))
            this.#printer.note(container.name, `exited with code ${code} (restarting)`);
        },
      },
    });
    this.#develop = new SwitchedWatch(context, {
      invocation,
      client,
      services: options.services,
      build: options.images.build !== 'never',
      printer: this.#printer,
      settled: () => context.reporter.close(),
      signal: this.#interrupts.signal,
    });
  }

  async run(): Promise<number> {
    const { terminal, flags } = this.#invocation;
    const { reporter } = this.#context;
    try {
      if (flags.bool('watch')) await this.#develop.prepare();
      await this.#watch.open();
      await this.#bringUp();
      if (flags.bool('watch')) this.#toggleWatch();
      const outcome = await this.#ending();
      this.#menu?.[Symbol.dispose]();
      this.#develop[Symbol.dispose]();
      await this.#develop.off();
      reporter.close();
      if (outcome === 'detached') return 0;
      if (outcome === 'idle') return this.#endings.exitCode ?? 0;
      if (outcome !== 'interrupted') terminal.stderr.write('Aborting on container exit...\n');
      await this.#stop();
      return outcome === 'interrupted' ? 130 : (this.#endings.exitCode ?? outcome);
    } catch (error) {
      if (!this.#interrupts.signal.aborted) throw error;
      // Who gives up before anything was started wants what ran before to go on.
      if (this.#attached) await this.#stop().catch((failure: unknown) => reporter.warn(messageOf(failure)));
      return 130;
    } finally {
      this.#menu?.[Symbol.dispose]();
      this.#interrupts[Symbol.dispose]();
      this.#develop[Symbol.dispose]();
      await this.#watch.close();
      this.#printer.flush();
      reporter.close();
    }
  }

  async #bringUp(): Promise<void> {
    const context = this.#context;
    const found = await observeContainers(context.client, context.projectName);
    this.#running = new Set(found.filter(({ state }) => state === 'running').map(({ id }) => id));
    await up(
      { ...context, reporter: this.#quietStarts(), signal: this.#interrupts.signal },
      { ...this.#options, onMade: (plan) => this.#onMade(plan), starts: this.#watch.starts },
    );
  }

  #onMade(plan: Plan): void {
    this.#context.reporter.close();
    const made = Object.values(plan.containers).flat();
    const shown = made.filter(({ service }) => this.#wants(service)).map(({ name }) => this.#printer.label(name));
    this.#printer.expect(shown);
    this.#printer.print(`Attaching to ${shown.sort().join(', ')}\n`);
    this.#attached = true;
    this.#printer.flush();
    this.#menu = this.#openMenu();
    for (const { id, name, service } of made) {
      if (id !== undefined && this.#running.has(id))
        this.#watch.attach({ id, name, service }, { follow: true, tail: '0' });
    }
  }

  #openMenu(): UpMenu | undefined {
    const { terminal, flags, compose } = this.#invocation;
    const { COMPOSE_MENU } = terminal.env;
    const wanted = flags.changed('menu') ? flags.bool('menu') : COMPOSE_MENU ? isTrue(COMPOSE_MENU) : true;
    const { reporter } = this.#context;
    if (!wanted || compose.ansi === 'never' || reporter.keep === undefined || !canShowMenu(terminal)) return undefined;
    return new UpMenu({
      terminal,
      colour: this.#colour,
      show: (line) => reporter.keep?.(line),
      actions: {
        interrupt: () => this.#interrupts.interrupt(),
        detach: () => this.#detach(),
        toggleWatch: () => this.#toggleWatch(),
      },
    });
  }

  #toggleWatch(): void {
    const menu = this.#menu;
    this.#develop
      .toggle((on) => {
        if (menu !== undefined) menu.watching = on;
      })
      .catch((error: unknown) => {
        const text = `Watch: ${messageOf(error)}`;
        if (menu === undefined) this.#context.reporter.warn(text);
        else menu.notice(text);
      });
  }

  async #ending(): Promise<Outcome> {
    return Promise.race([this.#idle(), this.#endings.aborted, this.#interrupts.requested, this.#detached]);
  }

  /** While files are watched, containers that have all ended may yet be replaced. */
  async #idle(): Promise<'idle'> {
    for (;;) {
      await this.#watch.whenIdle(this.#isNamed);
      if (!this.#develop.on) return 'idle';
      await this.#develop.off();
    }
  }

  readonly #isNamed = (service: string): boolean =>
    this.#options.services.length === 0 || this.#options.services.includes(service);

  #onExit(container: Attached, code: number): void {
    // Until all is made, those that end are those that are replaced.
    if (!this.#attached) return;
    if (this.#wants(container.service)) this.#printer.note(container.name, `exited with code ${code}`);
    this.#endings.onExit(container, code);
  }

  async #stop(): Promise<void> {
    const { services, timeout } = this.#options;
    this.#watch.expectNoRestarts();
    await stop(this.#context, { services, timeout, dryRun: false });
    await this.#watch.whenIdle(this.#isNamed);
    this.#printer.flush();
    this.#context.reporter.close();
  }

  async #kill(): Promise<void> {
    const { client, projectName } = this.#context;
    const containers = await observeContainers(client, projectName);
    const ours = containers.filter(
      ({ state, oneOff, service }) => state === 'running' && !oneOff && this.#isNamed(service),
    );
    await Promise.allSettled(ours.map(({ id }) => client.containers.kill(id, 'KILL')));
  }

  /** The reporter, without statuses while containers are started: then their own output is what there is to see. */
  #quietStarts(): Reporter {
    const { reporter } = this.#context;
    return {
      status: (event) => {
        if (!this.#attached) reporter.status(event);
      },
      warn: (message) => reporter.warn(message),
      print: (text) => reporter.print(text),
    };
  }
}
