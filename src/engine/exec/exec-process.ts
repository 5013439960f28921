import { newId } from '#base';
import type { RuntimeProcess } from '#oci';
import { buildExecProcess, type ExecTask, type Task } from '#runtime';
import type { LiveContainer } from '../containers/live-container.ts';
import type { RootfsMounts } from '../containers/rootfs/rootfs-mounts.ts';
import { resolveUser } from '../containers/start/container-user.ts';
import { parseSecurityOptions } from '../containers/start/security-options.ts';
import { environment, mergeEnvironment } from '../containers/start/spec-input.ts';
import type { ExecRequest } from './execs.ts';

/** A request with what a probe leaves to the container. */
export type InnerRequest = Pick<
  ExecRequest,
  'cmd' | 'env' | 'workingDir' | 'user' | 'privileged' | 'tty' | 'consoleSize'
>;

/** What a process inside a running container is made from: the container's user, variables and limits, then its own. */
export async function execProcess(
  rootfs: RootfsMounts,
  container: LiveContainer,
  request: InnerRequest,
): Promise<RuntimeProcess> {
  const { host, process, mounts } = container.settings;
  const view = {
    rootfs: rootfs.path(container.id),
    mounts: mounts.filter(({ point }) => point.source !== '').map(({ point }) => point),
  };
  const user = await resolveUser(view, request.user || process.user, host.groupAdd);
  const base = environment(container, user).filter((entry) => !entry.startsWith('HOME='));
  const terminal = request.tty ? ['TERM=xterm'] : [];
  const own = process.env.filter((entry) => entry.startsWith('HOME='));
  const security = parseSecurityOptions(host.securityOpt);
  const [height = 0, width = 0] = request.consoleSize ?? [];
  return buildExecProcess({
    process: {
      args: request.cmd,
      env: mergeEnvironment([...terminal, ...base, ...own, ...request.env], [`HOME=${user.home}`]),
      cwd: request.workingDir || process.workingDir || '/',
      uid: user.uid,
      gid: user.gid,
      additionalGids: user.additionalGids,
      terminal: request.tty,
      ...(request.tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    },
    security: {
      privileged: host.privileged || request.privileged,
      capAdd: host.capAdd,
      capDrop: host.capDrop,
      // An exec runs under the filter that the container was made with.
      seccomp: 'default',
      noNewPrivileges: security.noNewPrivileges,
      ...(security.apparmorProfile ? { apparmorProfile: security.apparmorProfile } : {}),
    },
    ulimits: host.resources.ulimits ?? [],
    oomScoreAdj: host.oomScoreAdj,
  });
}

/** Makes (does not start) a process of the engine's own, such as a health probe, inside `task`. */
export async function innerTask(
  rootfs: RootfsMounts,
  { container, task, cmd, id = newId() }: { container: LiveContainer; task: Task; cmd: readonly string[]; id?: string },
): Promise<ExecTask> {
  const request = { cmd, env: [], workingDir: '', user: '', privileged: false, tty: false };
  return await task.exec({ id, process: await execProcess(rootfs, container, request), stdin: false, attached: true });
}
