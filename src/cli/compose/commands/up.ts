import { invalid, notFound } from '#base';
import { up } from '#compose';
import { atLeast } from '../../command/index.ts';
import { type FlagValues, flagTable } from '../../flags/index.ts';
import type { ComposeCommand } from '../compose-command.ts';
import { openProject } from '../open-project.ts';
import { runPlan, timeoutFlag } from '../plan-command.ts';
import { createFlags, createOptions } from '../up-options.ts';

const flags = flagTable(`${createFlags}
      --abort-on-container-exit      Stop everything when any container ends
      --abort-on-container-failure   Stop everything when any container fails
      --always-recreate-deps         Recreate the containers of dependencies, too
      --attach stringArray           Show the output of these services only
      --attach-dependencies          Show the output of dependencies, too
  -d, --detach                       Run in the background
      --exit-code-from string        Return the exit code of this service; implies --abort-on-container-exit
      --menu                         Offer keys to watch files and to detach, on a terminal (default true)
      --no-attach stringArray        Do not show the output of these services
      --no-color                     Print without colours
      --no-deps                      Leave the services that these depend on alone
      --no-log-prefix                Print lines without the container's name
      --no-start                     Do not start the containers
      --quiet-build                  Build without showing output
  -V, --renew-anon-volumes           Make anonymous volumes anew instead of taking them over
  -t, --timeout int                  Seconds until a container that is stopped is killed
      --timestamps                   Show when each line was written
      --wait                         Wait until services run or are healthy; implies --detach
      --wait-timeout int             Most seconds to wait
  -w, --watch                        Also watch the files of services and keep the containers in step
`);

/** Refuses, with docker compose's texts, flags of looking on that contradict each other or `--detach`. */
function checkAttachment(given: FlagValues, aborts: boolean): void {
  const attached = aborts || given.bool('attach-dependencies') || given.list('attach').length > 0;
  if (given.bool('detach') && (attached || given.bool('watch'))) {
    throw invalid(
      '--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch',
    );
  }
  if (given.bool('abort-on-container-exit') && given.bool('abort-on-container-failure')) {
    throw invalid('--abort-on-container-failure cannot be combined with --abort-on-container-exit');
  }
  if (given.bool('wait') && attached) {
    throw invalid('--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies');
  }
}

/** `berth compose up`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] [SERVICE...]',
  short: 'Create and start containers',
  flags,
  args: atLeast(0),
  async run(invocation) {
    const { flags: given, args } = invocation;
    const wait = given.bool('wait');
    const aborts =
      given.bool('abort-on-container-exit') ||
      given.bool('abort-on-container-failure') ||
      given.changed('exit-code-from');
    checkAttachment(given, aborts);
    const detach = given.bool('detach') || wait || given.bool('no-start');
    if (given.bool('always-recreate-deps') && given.bool('no-recreate')) {
      throw invalid('--always-recreate-deps and --no-recreate are incompatible');
    }
    if (given.bool('renew-anon-volumes') && given.bool('no-recreate')) {
      throw invalid('--no-recreate and --renew-anon-volumes are incompatible');
    }
    const from = given.string('exit-code-from');
    const opened = await openProject(invocation, args, { lock: given.bool('locked') ? 'insist' : 'heed' });
    const { services } = opened.context.project;
    if (from !== '' && services[from] === undefined) throw notFound(`no such service: ${from}: not found`);
    const shared = createOptions(invocation, opened.client);
    const options = {
      ...shared,
      images: { ...shared.images, quietBuild: shared.images.quietBuild || given.bool('quiet-build') },
      recreateDependencies: given.bool('always-recreate-deps') ? ('force' as const) : ('diverged' as const),
      noDeps: given.bool('no-deps'),
      renewAnonymousVolumes: given.bool('renew-anon-volumes'),
      start: !given.bool('no-start'),
      wait,
      waitTimeout: timeoutFlag(invocation, 'wait-timeout'),
      timeout: timeoutFlag(invocation),
    };
    if (detach || invocation.compose.dryRun) {
      await runPlan(invocation, opened, (context) => up(context, options));
      return 0;
    }
    const { upAttached } = await import('../up-attached.ts');
    return upAttached(invocation, opened, options);
  },
};
