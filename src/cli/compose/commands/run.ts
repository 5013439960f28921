import { resolve } from 'node:path';
import { invalid } from '#base';
import type { Client } from '#client';
import { createOneOff, parsePortSpec, parseVolumeSpec, type Service, shellWords } from '#compose';
import { atLeast, type Terminal } from '../../command/index.ts';
import { type FlagValues, flagTable } from '../../flags/index.ts';
import { readEnvironment } from '../../run/index.ts';
import { followSize, proxySignals, startSession } from '../../session/index.ts';
import type { ComposeCommand, ComposeInvocation } from '../compose-command.ts';
import { ClientImageSource } from '../image-source.ts';
import { openProject } from '../open-project.ts';
import { warningsOnly } from '../status-reporter.ts';
import { pullFlag } from '../up-options.ts';

const flags = flagTable(`
      --build                       Build the image first
      --cap-add list                Add Linux capabilities
      --cap-drop list               Drop Linux capabilities
  -d, --detach                      Run in the background and print the container's name
      --entrypoint string           Another entrypoint for the image
  -e, --env stringArray             Set environment variables
      --env-from-file stringArray   Read environment variables from a file
  -i, --interactive                 Keep STDIN open even if not attached (default true)
  -l, --label stringArray           Set a label on the container
      --name string                 Name of the container
  -T, --no-TTY                      No terminal for the command; the default where STDIN or STDOUT is none
      --no-deps                     Do not start what the service depends on
  -p, --publish stringArray         Publish a port
      --pull string                 Pull the image first ("always"|"missing"|"never"|"build"|"policy") (default "policy")
  -q, --quiet                       Print nothing but the command's output
      --quiet-build                 Build without showing output
      --quiet-pull                  Pull without showing progress
      --remove-orphans              Remove containers of services that the file does not have
      --rm                          Remove the container when it ends
  -P, --service-ports               Publish the service's ports
  -t, --tty                         !
      --use-aliases                 Use the service's network aliases
  -u, --user string                 Run as this user
  -v, --volume stringArray          Mount a volume
  -w, --workdir string              Working directory inside the container
`);

function volumeOf(text: string, { cwd, env }: Terminal): NonNullable<Service['volumes']>[number] {
  const { type, source, target, readOnly, nocopy, propagation, selinux } = parseVolumeSpec(text);
  const rest = { target, ...(readOnly ? { read_only: true } : {}) };
  if (source === undefined) return { type: 'volume', ...rest };
  if (type === 'volume') return { type, source, ...rest, ...(nocopy ? { volume: { nocopy } } : {}) };
  const path = resolve(cwd, source.replace(/^~(?=\/|$)/, env.HOME ?? '~'));
  const bind = { create_host_path: true, ...(propagation ? { propagation } : {}), ...(selinux ? { selinux } : {}) };
  return { type, source: path, bind, ...rest };
}

function portsOf(text: string): NonNullable<Service['ports']> {
  return parsePortSpec(text).map(({ target, protocol, hostIp, published }) => ({
    mode: 'ingress',
    target,
    protocol,
    ...(hostIp ? { host_ip: hostIp } : {}),
    ...(published ? { published } : {}),
  }));
}

/** The service with everything that the flags change. */
function changedService(service: Service, invocation: ComposeInvocation): Service {
  const { flags: given, args, terminal } = invocation;
  const words = args.slice(1);
  const environment = { ...service.environment };
  for (const word of readEnvironment(given.list('env-from-file'), given.list('env'), terminal.env)) {
    const equals = word.indexOf('=');
    environment[equals === -1 ? word : word.slice(0, equals)] = equals === -1 ? null : word.slice(equals + 1);
  }
  const pairs = given.list('label').map((word): [string, string] => {
    const equals = word.indexOf('=');
    if (equals === -1) throw invalid('label must be set as KEY=VALUE');
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
  const tty = wantsTty(given, invocation);
  const { container_name: _name, ports = [], ...rest } = service;
  const published = [...(given.bool('service-ports') ? ports : []), ...given.list('publish').flatMap(portsOf)];
  return {
    ...rest,
    tty,
    stdin_open: !given.changed('interactive') || given.bool('interactive'),
    environment,
    labels: { ...service.labels, ...Object.fromEntries(pairs) },
    ports: published,
    ...(words.length > 0 ? { command: words } : {}),
    ...(given.changed('entrypoint')
      ? { entrypoint: shellWords(given.string('entrypoint')), command: words.length > 0 ? words : [] }
      : {}),
    ...(given.string('user') ? { user: given.string('user') } : {}),
    ...(given.string('workdir') ? { working_dir: given.string('workdir') } : {}),
    cap_add: [...(service.cap_add ?? []), ...given.list('cap-add')],
    cap_drop: [...(service.cap_drop ?? []), ...given.list('cap-drop')],
    volumes: [...(service.volumes ?? []), ...given.list('volume').map((text) => volumeOf(text, terminal))],
    scale: 1,
  };
}

function wantsTty(given: FlagValues, { terminal }: ComposeInvocation): boolean {
  if (given.bool('no-TTY') || given.bool('detach')) return false;
  return terminal.stdin.isTTY === true && terminal.stdout.isTTY === true;
}

/** Starts the container with its streams joined to ours; the exit code is the command's. */
async function runAttached(
  client: Client,
  invocation: ComposeInvocation,
  container: { id: string; tty: boolean; stdin: boolean },
): Promise<number> {
  const { terminal, flags: given } = invocation;
  const { id, tty, stdin } = container;
  const stopProxy = tty ? () => undefined : proxySignals((signal) => client.containers.kill(id, signal));
  try {
    const connection = await client.containers.attach(id, { stdin, stdout: true, stderr: true });
    const session = startSession(connection, { terminal, stdin, tty });
    session.done.catch(() => undefined);
    const { result } = await client.containers.wait(id, { condition: given.bool('rm') ? 'removed' : 'next-exit' });
    try {
      await client.containers.start(id);
    } catch (error) {
      session.close();
      connection.stream.destroy();
      throw error;
    }
    const stopSize = tty ? followSize(terminal, (size) => client.containers.resize(id, size)) : () => undefined;
    await session.done.finally(stopSize);
    return session.detached ? 0 : (await result).StatusCode;
  } finally {
    stopProxy();
  }
}

/** Refuses, with docker compose's texts, flags that contradict each other or where they are used. */
function checkFlags({ flags: given, terminal }: ComposeInvocation): void {
  if (given.bool('service-ports') && given.list('publish').length > 0) {
    throw invalid('--service-ports and --publish are incompatible');
  }
  if (given.bool('tty') && terminal.stdin.isTTY !== true) throw invalid('the input device is not a TTY');
}

/** `berth compose run`. */
export const command: ComposeCommand = {
  usage: '[OPTIONS] SERVICE [COMMAND] [ARGS...]',
  short: 'Run a one-off command in a container of a service',
  flags,
  args: atLeast(1),
  interspersed: false,
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    const [name = ''] = args;
    checkFlags(invocation);
    const { context, client } = await openProject(invocation, [name]);
    const service = context.project.services[name];
    if (service === undefined) throw invalid(`no such service: ${name}`);
    const changed = changedService(service, invocation);
    const detach = given.bool('detach');
    const quiet = given.bool('quiet');
    const stdin = !detach && changed.stdin_open === true;
    const { id } = await createOneOff(quiet ? { ...context, reporter: warningsOnly(context.reporter) } : context, {
      service: changed,
      images: {
        source: new ClientImageSource(client, invocation),
        pull: pullFlag(given),
        build: given.bool('build') ? 'always' : 'missing',
        quietPull: given.bool('quiet-pull') || quiet,
        quietBuild: given.bool('quiet-build') || quiet,
      },
      name: given.string('name') || undefined,
      noDeps: given.bool('no-deps'),
      useAliases: given.bool('use-aliases'),
      stdin,
      removeOrphans: given.bool('remove-orphans'),
      autoRemove: given.bool('rm'),
    });
    context.reporter.close();
    if (detach) {
      await client.containers.start(id);
      terminal.stdout.write(`${id}\n`);
      return 0;
    }
    return runAttached(client, invocation, { id, tty: changed.tty === true, stdin });
  },
};
