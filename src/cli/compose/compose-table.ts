import type { ComposeCommand } from './compose-command.ts';

/** A subcommand's place in the help, known without loading its file. */
export interface ComposeEntry {
  readonly name: string;
  readonly short: string;
  readonly hidden?: boolean;
  load(): Promise<{ readonly command: ComposeCommand }>;
}

/** Every subcommand of `compose`, in the order of the help page. */
export const composeTable: readonly ComposeEntry[] = [
  {
    name: 'attach',
    short: "Join the streams of a service's running container",
    load: () => import('./commands/attach.ts'),
  },
  {
    name: 'alpha',
    short: 'Experiments of docker compose (not supported)',
    hidden: true,
    load: () => import('./commands/alpha.ts'),
  },
  {
    name: 'bridge',
    short: 'Turn Compose files into another model (not supported)',
    hidden: true,
    load: () => import('./commands/bridge.ts'),
  },
  { name: 'build', short: 'Build or rebuild services', load: () => import('./commands/build.ts') },
  {
    name: 'commit',
    short: "Create an image from the changes of a service's container",
    load: () => import('./commands/commit.ts'),
  },
  {
    name: 'config',
    short: 'Check the Compose files and print them in canonical form',
    load: () => import('./commands/config.ts'),
  },
  { name: 'convert', short: 'Another name for config', hidden: true, load: () => import('./commands/config.ts') },
  {
    name: 'cp',
    short: "Copy files between a service's container and this machine",
    load: () => import('./commands/cp.ts'),
  },
  { name: 'create', short: 'Create the containers of services', load: () => import('./commands/create.ts') },
  {
    name: 'diff',
    short: 'Show what up would change and why, or how the files differ from a revision',
    load: () => import('./commands/diff.ts'),
  },
  { name: 'down', short: 'Stop and remove containers and networks', load: () => import('./commands/down.ts') },
  { name: 'events', short: 'Get events of containers as they happen', load: () => import('./commands/events.ts') },
  { name: 'exec', short: 'Run a command in a running container', load: () => import('./commands/exec.ts') },
  {
    name: 'export',
    short: "Write the filesystem of a service's container as a tar archive",
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'history',
    short: 'Show what the project was brought to, when and by whom',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'images',
    short: 'List the images that containers were made from',
    load: () => import('./commands/images.ts'),
  },
  { name: 'kill', short: 'Kill the containers of services', load: () => import('./commands/kill.ts') },
  { name: 'lock', short: 'Hold images at the digests they have now', load: () => import('./commands/lock.ts') },
  { name: 'logs', short: 'Show the output of containers', load: () => import('./commands/logs.ts') },
  { name: 'ls', short: 'List projects that run', load: () => import('./commands/ls.ts') },
  { name: 'pause', short: 'Pause services', load: () => import('./commands/pause.ts') },
  { name: 'port', short: 'Print the public address of a port', load: () => import('./commands/port.ts') },
  { name: 'ps', short: 'List containers', load: () => import('./commands/ps.ts') },
  {
    name: 'publish',
    short: 'Publish the project as an OCI artifact (not supported yet)',
    load: () => import('./commands/publish.ts'),
  },
  { name: 'pull', short: 'Pull the images of services', load: () => import('./commands/pull.ts') },
  { name: 'push', short: 'Push the images of services', load: () => import('./commands/push.ts') },
  { name: 'restart', short: 'Restart the containers of services', load: () => import('./commands/restart.ts') },
  { name: 'rm', short: 'Remove stopped containers of services', load: () => import('./commands/rm.ts') },
  {
    name: 'rollback',
    short: 'Bring the project back to an earlier revision',
    load: () => import('./commands/rollback.ts'),
  },
  { name: 'run', short: 'Run a one-off command in a container of a service', load: () => import('./commands/run.ts') },
  { name: 'scale', short: 'Change the number of containers of services', load: () => import('./commands/scale.ts') },
  { name: 'start', short: 'Start services', load: () => import('./commands/start.ts') },
  { name: 'stats', short: 'Show what containers use, live', load: () => import('./commands/stats.ts') },
  { name: 'stop', short: 'Stop services', load: () => import('./commands/stop.ts') },
  { name: 'top', short: 'Show the processes of containers', load: () => import('./commands/top.ts') },
  { name: 'unpause', short: 'Let paused services go on', load: () => import('./commands/unpause.ts') },
  { name: 'up', short: 'Create and start containers', load: () => import('./commands/up.ts') },
  { name: 'version', short: 'Show the version of compose', load: () => import('./commands/version.ts') },
  { name: 'volumes', short: 'List volumes', load: () => import('./commands/volumes.ts') },
  { name: 'wait', short: 'Wait until containers of services end', load: () => import('./commands/wait.ts') },
  {
    name: 'watch',
    short: 'Watch the files that services are made of, and keep their containers in step',
    load: () => import('./commands/watch.ts'),
  },
];
