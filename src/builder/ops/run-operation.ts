import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, newId, shortId, UndoStack } from '#base';
import type { RuntimeMount } from '#oci';
import { buildRuntimeSpec, type SpecInput } from '#runtime';
import type { BuildNetwork } from '../builder.ts';
import type { StepLayer } from '../cache/cache-records.ts';
import type { GraphNode, RunMount, RunOperation } from '../graph/operation.ts';
import { readAccounts } from '../tree/accounts.ts';
import { bindSource } from './bind-source.ts';
import type { BuildSession } from './build-session.ts';
import { containerFile } from './leftover-containers.ts';
import { lendToStep } from './lend-to-step.ts';
import { MountPoints } from './mount-points.ts';
import type { StepResult } from './step-result.ts';
import { changeTree, type WorkingTree } from './working-tree.ts';

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const defaultShmSize = 64 << 20;

/** What one RUN works with. */
export interface RunContext {
  readonly session: BuildSession;
  readonly node: GraphNode;
  readonly operation: RunOperation;
  readonly below: StepResult;
  /** Results of the nodes that bind mounts come from, by node. */
  readonly origins: ReadonlyMap<GraphNode, StepResult>;
  readonly signal: AbortSignal;
}

/**
 * Runs the command in a container on top of `below` and commits what it changed. Throws `invalid` with the exit code
 * (details: `code`) when it is not 0, and what runtime, network and stores throw. Nothing stays behind.
 */
export async function runOperation(context: RunContext): Promise<StepLayer | undefined> {
  return changeTree(context.session, context.below.chainId, async (tree) => {
    const cleanup = new UndoStack();
    try {
      await runContainer(context, tree, cleanup);
    } finally {
      const errors = await cleanup.rollback();
      for (const error of errors) context.session.services.logger.warn('cleaning up after a build step', { error });
    }
  });
}

async function runContainer(context: RunContext, tree: WorkingTree, cleanup: UndoStack): Promise<void> {
  const { session, node, operation, signal } = context;
  const id = newId();
  const { networks, networkReleases, runtime } = session.services;
  const mode = operation.network === 'default' ? session.request.networkMode : operation.network;
  const network = await networks.open(mode || 'default', { stepId: id, extraHosts: session.request.extraHosts });
  cleanup.push(() => networkReleases.release(network));
  const mounts = [
    ...(await systemMounts(id, tree, network)),
    ...(await stepMounts(context, tree, cleanup)),
    ...(await scriptMounts(operation, tree)),
  ];
  const lent = await lendToStep(context, tree, cleanup);
  const spec = buildRuntimeSpec(
    specInput(context, { id, root: tree.root, mounts: [...mounts, ...lent.mounts], env: lent.env, network }),
  );
  const points = new MountPoints(tree.root);
  cleanup.push(() => points.remove());
  points.create(spec.mounts);
  tree.afterUnmount((changes) => points.forgetCopies(changes));
  await writeFile(join(tree.directory, containerFile), id);
  session.containers.set(node.step, id);
  session.emit({ kind: 'step-running', step: node.step, containerId: id });
  const code = await runtime.runOnce({
    id,
    spec,
    output: ({ stream, data }) => session.emit({ kind: 'step-output', step: node.step, stream, data }),
    signal,
    ...(lent.execRoot !== undefined && { execRoot: lent.execRoot }),
  });
  if (code !== 0) {
    const command = operation.args.join(' ');
    throw invalid(`The command '${command}' returned a non-zero code: ${code}`, { details: { code, command } });
  }
}

function specInput(
  context: RunContext,
  container: {
    id: string;
    root: string;
    mounts: RuntimeMount[];
    env: ReadonlyMap<string, string>;
    network: BuildNetwork;
  },
): SpecInput {
  const { session, operation } = context;
  const { request, services } = session;
  const account = readAccounts(container.root).resolve(operation.user);
  const hostname = shortId(container.id);
  const { memory, cpuShares, cpusetCpus } = request;
  return {
    rootfs: container.root,
    readonlyRootfs: false,
    hostname,
    process: {
      args: operation.args,
      env: environment(operation, container.env, { hostname, home: account.home }),
      cwd: operation.workdir,
      uid: account.uid,
      gid: account.gid,
      additionalGids: account.additionalGids,
      terminal: false,
    },
    mounts: container.mounts,
    namespaces: {
      pid: 'private',
      network: container.network.netnsPath === undefined ? 'host' : { path: container.network.netnsPath },
      ipc: 'private',
      uts: 'private',
      cgroup: 'private',
    },
    security: {
      privileged: operation.privileged,
      capAdd: [],
      capDrop: [],
      seccomp: operation.privileged ? 'unconfined' : 'default',
      noNewPrivileges: false,
    },
    resources: {
      ...(memory !== undefined && memory > 0 && { memory: { limit: memory } }),
      ...((cpuShares || cpusetCpus) && {
        cpu: { ...(cpuShares && { shares: cpuShares }), ...(cpusetCpus && { cpus: cpusetCpus }) },
      }),
    },
    devices: [],
    deviceRules: [],
    ulimits: [],
    sysctls: {},
    oomScoreAdj: 0,
    shmSize: request.shmSize || defaultShmSize,
    cgroupPath: `${services.cgroupParent}/${container.id}`,
    annotations: {},
  };
}

/** The environment, secrets before all else, with what Docker adds where nothing is said: PATH, HOSTNAME, HOME. */
function environment(
  operation: RunOperation,
  secrets: ReadonlyMap<string, string>,
  { hostname, home }: { hostname: string; home: string },
): string[] {
  const others = [...operation.env, ...operation.quietEnv].filter(
    (entry) => !secrets.has(entry.slice(0, entry.indexOf('='))),
  );
  const env = [...others, ...[...secrets].map(([name, value]) => `${name}=${value}`)];
  const has = (name: string) => env.some((entry) => entry.startsWith(`${name}=`));
  return [
    ...(has('PATH') ? [] : [defaultPath]),
    `HOSTNAME=${hostname}`,
    ...env,
    ...(has('HOME') ? [] : [`HOME=${home}`]),
  ];
}

async function systemMounts(id: string, tree: WorkingTree, network: BuildNetwork): Promise<RuntimeMount[]> {
  const contents = { 'resolv.conf': network.resolvConf, hostname: `${shortId(id)}\n`, hosts: network.hostsFile };
  const mounts: RuntimeMount[] = [];
  for (const [name, content] of Object.entries(contents)) {
    const source = join(tree.directory, name);
    await writeFile(source, content, { mode: 0o644 });
    mounts.push({ destination: `/etc/${name}`, type: 'bind', source, options: ['rbind', 'rprivate'] });
  }
  return mounts;
}

async function scriptMounts(operation: RunOperation, tree: WorkingTree): Promise<RuntimeMount[]> {
  const mounts: RuntimeMount[] = [];
  for (const [index, { name, content }] of operation.scripts.entries()) {
    const source = join(tree.directory, `script-${index}`);
    await writeFile(source, content);
    await chmod(source, 0o755);
    mounts.push({ destination: `/dev/pipes/${name}`, type: 'bind', source, options: ['bind', 'ro'] });
  }
  return mounts;
}

async function stepMounts(context: RunContext, tree: WorkingTree, cleanup: UndoStack): Promise<RuntimeMount[]> {
  const mounts: RuntimeMount[] = [];
  for (const [index, mount] of context.operation.mounts.entries()) {
    const place = join(tree.directory, `mount-${index}`);
    if (mount.type === 'tmpfs') mounts.push(tmpfsMount(mount));
    else if (mount.type === 'cache') {
      const cache = await context.session.services.cacheMounts.borrow(mount, context.signal);
      cleanup.push(() => cache.release());
      mounts.push(bindMount(mount, cache.path));
    } else mounts.push(bindMount(mount, await bindSource(context, mount, { place, cleanup })));
  }
  return mounts;
}

function tmpfsMount(mount: RunMount): RuntimeMount {
  const size = mount.size === undefined ? [] : [`size=${mount.size}`];
  return { destination: mount.target, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', ...size] };
}

function bindMount(mount: RunMount, source: string): RuntimeMount {
  return {
    destination: mount.target,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', mount.readonly ? 'ro' : 'rw'],
  };
}
