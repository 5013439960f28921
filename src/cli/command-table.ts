import type { Command } from './command/index.ts';

/** A command's place in the tree, known without loading its file. */
export interface CommandEntry {
  /** All full names, the one that help pages show first. */
  readonly names: readonly string[];
  readonly short: string;
  readonly section: 'common' | 'other';
  load(): Promise<{ readonly command: Command }>;
}

/** The words that only group commands, with their help text. */
export const groups: Readonly<Record<string, string>> = {
  builder: 'Manage builds',
  container: 'Manage containers',
  context: 'Manage contexts',
  image: 'Manage images',
  network: 'Manage networks',
  registry: 'Run a registry',
  system: 'Manage Berth',
  volume: 'Manage volumes',
};

function entry(names: string, short: string, load: CommandEntry['load']): CommandEntry {
  return { names: names.split(', '), short, section: 'other', load };
}

function common(names: string, short: string, load: CommandEntry['load']): CommandEntry {
  return { ...entry(names, short, load), section: 'common' };
}

/** Every command. Loading one loads no other. */
export const commandTable: readonly CommandEntry[] = [
  common('run, container run', 'Create and run a new container from an image', () => import('./commands/run.ts')),
  common('exec, container exec', 'Run a command in a running container', () => import('./commands/exec.ts')),
  common('ps, container ls, container list, container ps', 'List containers', () => import('./commands/ps.ts')),
  common('build, image build, builder build', 'Build an image from a Dockerfile', () => import('./commands/build.ts')),
  common('compose', 'Define and run applications of several containers', () => import('./commands/compose.ts')),
  common(
    'bootstrap, image bootstrap',
    'Make a base image from signed distribution packages',
    () => import('./commands/bootstrap.ts'),
  ),
  common('pull, image pull', 'Download an image from a registry', () => import('./commands/pull.ts')),
  common('push, image push', 'Upload an image to a registry', () => import('./commands/push.ts')),
  common('images, image ls, image list', 'List images', () => import('./commands/images.ts')),
  common('login', 'Authenticate to a registry', () => import('./commands/login.ts')),
  common('logout', 'Log out from a registry', () => import('./commands/logout.ts')),
  common('search', 'Search a registry for images', () => import('./commands/search.ts')),
  common('version', 'Show version information', () => import('./commands/version.ts')),
  common('info, system info', 'Display system-wide information', () => import('./commands/info.ts')),
  common('doctor', 'Check that this host can run containers', () => import('./commands/doctor.ts')),
  entry('attach, container attach', 'Join the streams of a running container', () => import('./commands/attach.ts')),
  entry(
    'commit, container commit',
    "Create a new image from a container's changes",
    () => import('./commands/commit.ts'),
  ),
  entry('cp, container cp', 'Copy files between a container and this machine', () => import('./commands/cp.ts')),
  entry('create, container create', 'Create a new container', () => import('./commands/create.ts')),
  entry('diff, container diff', "List changed files of a container's filesystem", () => import('./commands/diff.ts')),
  entry('events, system events', 'Get events from the server as they happen', () => import('./commands/events.ts')),
  entry(
    'export, container export',
    "Write a container's filesystem as a tar archive",
    () => import('./commands/export.ts'),
  ),
  entry('history, image history', 'Show the history of an image', () => import('./commands/history.ts')),
  entry('import, image import', 'Make an image of a filesystem tar archive', () => import('./commands/import.ts')),
  entry('inspect', 'Return low-level information on objects', () => import('./commands/inspect.ts')),
  entry('kill, container kill', 'Kill one or more running containers', () => import('./commands/kill.ts')),
  entry('load, image load', 'Load an image from a tar archive or STDIN', () => import('./commands/load.ts')),
  entry('logs, container logs', 'Fetch the logs of a container', () => import('./commands/logs.ts')),
  entry('pause, container pause', 'Pause all processes of one or more containers', () => import('./commands/pause.ts')),
  entry('port, container port', 'List the published ports of a container', () => import('./commands/port.ts')),
  entry('rename, container rename', 'Rename a container', () => import('./commands/rename.ts')),
  entry('restart, container restart', 'Restart one or more containers', () => import('./commands/restart.ts')),
  entry('rm, container rm, container remove', 'Remove one or more containers', () => import('./commands/rm.ts')),
  entry('rmi, image rm, image remove', 'Remove one or more images', () => import('./commands/rmi.ts')),
  entry('save, image save', 'Save images to a tar archive (STDOUT by default)', () => import('./commands/save.ts')),
  entry('start, container start', 'Start one or more stopped containers', () => import('./commands/start.ts')),
  entry('stats, container stats', 'Show what containers use, live', () => import('./commands/stats.ts')),
  entry('stop, container stop', 'Stop one or more running containers', () => import('./commands/stop.ts')),
  entry('tag, image tag', 'Give an image another name', () => import('./commands/tag.ts')),
  entry('top, container top', 'Display the processes of a container', () => import('./commands/top.ts')),
  entry('unpause, container unpause', 'Let paused containers go on', () => import('./commands/unpause.ts')),
  entry('update, container update', 'Change limits of one or more containers', () => import('./commands/update.ts')),
  entry(
    'wait, container wait',
    'Wait until containers stop, then print their exit codes',
    () => import('./commands/wait.ts'),
  ),
  entry('completion', 'Write the completion script of a shell', () => import('./commands/completion.ts')),
  entry(
    'container inspect',
    'Display details of one or more containers',
    () => import('./commands/container-inspect.ts'),
  ),
  entry('container prune', 'Remove all stopped containers', () => import('./commands/container-prune.ts')),
  entry('image inspect', 'Display details of one or more images', () => import('./commands/image-inspect.ts')),
  entry('image log', 'Show what a tag pointed to, when, and who moved it', () => import('./commands/image-log.ts')),
  entry('image rollback', 'Point a tag to what it pointed to before', () => import('./commands/image-rollback.ts')),
  entry('image prune', 'Remove unused images', () => import('./commands/image-prune.ts')),
  entry('builder prune', 'Remove build cache', () => import('./commands/builder-prune.ts')),
  entry('volume create', 'Create a volume', () => import('./commands/volume-create.ts')),
  entry('volume ls, volume list', 'List volumes', () => import('./commands/volume-ls.ts')),
  entry('volume inspect', 'Display details of one or more volumes', () => import('./commands/volume-inspect.ts')),
  entry('volume rm, volume remove', 'Remove one or more volumes', () => import('./commands/volume-rm.ts')),
  entry('volume clone', 'Make a volume with the data of another', () => import('./commands/volume-clone.ts')),
  entry('volume snapshot', 'Keep the data of a volume as it is now', () => import('./commands/volume-snapshot.ts')),
  entry('volume export', 'Write all that is in a volume as a tar archive', () => import('./commands/volume-export.ts')),
  entry(
    'volume import',
    'Fill a new or an empty volume from a tar archive',
    () => import('./commands/volume-import.ts'),
  ),
  entry('volume rename', 'Rename a volume', () => import('./commands/volume-rename.ts')),
  entry('volume prune', 'Remove unused local volumes', () => import('./commands/volume-prune.ts')),
  entry('network create', 'Create a network', () => import('./commands/network-create.ts')),
  entry('network ls, network list', 'List networks', () => import('./commands/network-ls.ts')),
  entry('network inspect', 'Display details of one or more networks', () => import('./commands/network-inspect.ts')),
  entry('network rm, network remove', 'Remove one or more networks', () => import('./commands/network-rm.ts')),
  entry('network prune', 'Remove all unused networks', () => import('./commands/network-prune.ts')),
  entry('network connect', 'Connect a container to a network', () => import('./commands/network-connect.ts')),
  entry(
    'network disconnect',
    'Disconnect a container from a network',
    () => import('./commands/network-disconnect.ts'),
  ),
  entry(
    'registry serve',
    'Run a registry that images can be pushed to and pulled from',
    () => import('./commands/registry-serve.ts'),
  ),
  entry('system df', 'Show disk usage', () => import('./commands/system-df.ts')),
  entry('system prune', 'Remove unused data', () => import('./commands/system-prune.ts')),
  entry('context ls, context list', 'List contexts', () => import('./commands/context-ls.ts')),
  entry('context show', 'Print the name of the current context', () => import('./commands/context-show.ts')),
  entry('context use', 'Set the current context', () => import('./commands/context-use.ts')),
];
