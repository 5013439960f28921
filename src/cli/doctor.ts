import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#base';
import { checkForwarded } from './doctor-forwarding.ts';
import type { Finding, HostProbe } from './doctor-probe.ts';
import { humanSize } from './format/index.ts';

const run = promisify(execFile);

/** Least free room for images, in bytes. */
const leastFree = 2e9;

function check(name: string, ok: boolean, rest: { detail: string; remedy: string; essential?: boolean }): Finding {
  const { detail, remedy, essential = true } = rest;
  return { name, ok, essential, detail, ...(ok ? {} : { remedy }) };
}

async function checkProgram(
  probe: HostProbe,
  wanted: { name: string; args: string[]; package: string; essential: boolean },
): Promise<Finding> {
  const { name, essential } = wanted;
  try {
    const line = await probe.program(name, wanted.args);
    return check(name, true, { detail: line, remedy: '', essential });
  } catch (error) {
    const missing = /ENOENT/.test(messageOf(error));
    return check(name, false, {
      detail: missing ? 'not installed' : (messageOf(error).split('\n')[0] ?? ''),
      remedy: `apt-get install ${wanted.package}`,
      essential,
    });
  }
}

function checkCgroups(probe: HostProbe): Finding[] {
  const unified = probe.exists('/sys/fs/cgroup/cgroup.controllers');
  const hybrid = probe.exists('/sys/fs/cgroup/unified/cgroup.controllers');
  const layout = unified ? 'v2' : hybrid ? 'v1 (hybrid)' : probe.exists('/sys/fs/cgroup/memory') ? 'v1' : '';
  const names = unified
    ? (probe.file('/sys/fs/cgroup/cgroup.controllers') ?? '').trim().split(/\s+/)
    : (probe.file('/proc/cgroups') ?? '')
        .split('\n')
        .flatMap((line) => (/\t1$/.test(line) ? [line.split('\t')[0] ?? ''] : []));
  const wanted = ['cpu', 'memory', 'pids'];
  const missing = wanted.filter((name) => !names.includes(name));
  return [
    check('cgroups', layout !== '', {
      detail: layout === '' ? 'not mounted' : layout,
      remedy: 'mount cgroup2: mount -t cgroup2 none /sys/fs/cgroup',
    }),
    check('cgroup controllers', missing.length === 0, {
      detail: missing.length === 0 ? names.filter((name) => name !== '').join(' ') : `missing: ${missing.join(' ')}`,
      remedy:
        'limits of these kinds cannot be set; enable them in the kernel (boot with cgroup_enable=memory) or in the parent cgroup',
      essential: false,
    }),
  ];
}

async function checkOverlay(probe: HostProbe): Promise<Finding> {
  const remedy = 'load the module (modprobe overlay), or use a kernel of 5.11 or newer with overlayfs';
  try {
    await probe.tryOverlay();
    return check('overlayfs', true, { detail: 'can be mounted', remedy });
  } catch (error) {
    return check('overlayfs', false, {
      detail: `cannot be mounted: ${messageOf(error).trim().split('\n').at(-1)}`,
      remedy,
    });
  }
}

/** Looks the host over, in the order in which the findings are printed. */
export async function examineHost(probe: HostProbe): Promise<Finding[]> {
  const kernel = probe.kernel();
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  const namespaces = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup'].filter(
    (name) => !probe.exists(`/proc/self/ns/${name}`),
  );
  const free = probe.freeBytes('/var/lib');
  const forwarding = probe.file('/proc/sys/net/ipv4/ip_forward')?.trim() === '1';
  const programs = await Promise.all(
    [
      { name: 'crun', args: ['--version'], package: 'crun', essential: true },
      { name: 'runc', args: ['--version'], package: 'runc', essential: false },
      { name: 'conmon', args: ['--version'], package: 'conmon', essential: true },
      { name: 'nft', args: ['--version'], package: 'nftables', essential: true },
      { name: 'ip', args: ['-V'], package: 'iproute2', essential: true },
      { name: 'mmdebstrap', args: ['--version'], package: 'mmdebstrap', essential: false },
    ].map((wanted) => checkProgram(probe, wanted)),
  );
  return [
    check('user', probe.uid() === 0, {
      detail: probe.uid() === 0 ? 'root' : `uid ${probe.uid()}`,
      remedy: 'run the daemon as root (sudo)',
    }),
    check('kernel', major > 5 || (major === 5 && minor >= 4), { detail: kernel, remedy: 'use Linux 5.4 or newer' }),
    await checkOverlay(probe),
    check('namespaces', namespaces.length === 0, {
      detail: namespaces.length === 0 ? 'pid mnt uts ipc net cgroup' : `missing: ${namespaces.join(' ')}`,
      remedy: 'use a kernel with these namespaces',
    }),
    ...checkCgroups(probe),
    ...programs,
    check('disk', free >= leastFree, {
      detail: `${humanSize(free, 3)} free at /var/lib`,
      remedy: 'make room, or give berthd another --data-root',
      essential: false,
    }),
    check('IP forwarding', forwarding, {
      detail: forwarding ? 'on' : 'off',
      remedy: 'sysctl -w net.ipv4.ip_forward=1 (berthd does it when it starts)',
      essential: false,
    }),
    await checkForwarded(probe),
  ];
}

/** The machine that this process runs on. */
export const thisHost: HostProbe = {
  uid: () => process.getuid?.() ?? -1,
  kernel: release,
  file(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  exists: existsSync,
  async program(name, args) {
    return (await thisHost.output(name, args)).split('\n')[0]?.trim() ?? '';
  },
  async output(name, args) {
    const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
    // A host with many rules has much to tell.
    const maxBuffer = 64 << 20;
    const { stdout, stderr } = await run(name, [...args], { env: { ...process.env, PATH: path }, maxBuffer });
    return stdout || stderr;
  },
  async tryOverlay() {
    // A mount namespace of its own: the mount is gone with the process, whatever happens.
    const root = mkdtempSync(join(tmpdir(), 'berth-doctor-'));
    try {
      for (const name of ['a', 'b', 'merged', 'space']) mkdirSync(join(root, name));
      const script =
        'mount -t tmpfs none "$0/space" && mkdir "$0/space/upper" "$0/space/work" && mount -t overlay overlay -o "lowerdir=$0/a:$0/b,upperdir=$0/space/upper,workdir=$0/space/work" "$0/merged"';
      await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, root]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
  freeBytes(path) {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
};

/** The findings as text, one line each; what is wrong says what to do. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.name.length)) + 2;
  return findings
    .map((finding) => {
      const mark = finding.ok ? 'ok  ' : finding.essential ? 'FAIL' : 'warn';
      const remedy = finding.remedy === undefined ? '' : ` -> ${finding.remedy}`;
      return `${mark}  ${finding.name.padEnd(width)}${finding.detail}${remedy}\n`;
    })
    .join('');
}
