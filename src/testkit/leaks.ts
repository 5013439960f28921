import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What exists on the host that an engine could leave behind, one line per object. */
export type HostSnapshot = ReadonlySet<string>;

/** Mounts, links, nft tables, cgroups, temp directories and engine processes that exist now. */
export async function snapshotHost(): Promise<HostSnapshot> {
  return new Set([...mounts(), ...links(), ...tables(), ...cgroups(), ...temporary(), ...processes()]);
}

/**
 * What exists now and did not in `before`. The kernel ends some things (namespaces, veth peers, cgroups) a moment after
 * their owner; up to five seconds are allowed for that.
 */
export async function leaksSince(before: HostSnapshot): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const leaks = [...(await snapshotHost())].filter((line) => !before.has(line));
    if (leaks.length === 0 || attempt === 25) return leaks;
    await new Promise((resume) => setTimeout(resume, 200));
  }
}

function mounts(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const points = lines.map((line) => line.split(' ')[4]);
  // `ip netns add` mounts this directory on itself at its first use and leaves that for the next.
  return points.filter((point) => point !== '/run/netns').map((point) => `mount ${point}`);
}

function links(): string[] {
  return readdirSync('/sys/class/net').map((name) => `link ${name}`);
}

function tables(): string[] {
  try {
    return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).trim().split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function cgroups(): string[] {
  const found: string[] = [];
  const visit = (directory: string, depth: number) => {
    for (const name of childrenOf(directory)) {
      const path = join(directory, name);
      found.push(`cgroup ${path}`);
      if (depth > 1) visit(path, depth - 1);
    }
  };
  visit('/sys/fs/cgroup', 3);
  return found.filter((line) => line.includes('berth'));
}

/** Names of the directories in `directory`; none when it was removed while the tree was walked, as cgroups are. */
function childrenOf(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function temporary(): string[] {
  return ['/tmp', '/run'].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.startsWith('berth-'))
      .map((name) => `file ${directory}/${name}`),
  );
}

function processes(): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      if (/conmon|berthd|dist\/daemon\/main|[ =]\/tmp\/berth-/.test(command)) found.push(`process ${pid} ${command}`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
