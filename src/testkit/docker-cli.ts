import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A docker CLI found on this machine. */
export interface DockerCli {
  /** Directory that holds `docker`. */
  readonly directory: string;
  readonly major: number;
}

const cache = '/var/cache/berth-tests/docker-cli';

/**
 * The docker CLI of this machine; without one, the distribution's, taken out of its package without installing it
 * (installing would start a dockerd). Throws when neither can be had.
 */
export function findDockerCli(): DockerCli {
  const onPath = which();
  if (onPath !== undefined) return describe(onPath);
  if (!existsSync(join(cache, 'docker'))) extractPackage();
  return describe(cache);
}

/**
 * A docker CLI that speaks BuildKit's protocol itself, over a session: those of 18.09 to 20.10 do, newer ones leave it to
 * buildx. Debian 12's package has one; undefined where none can be had.
 */
export function findSessionCli(): DockerCli | undefined {
  const onPath = which();
  if (onPath !== undefined && describe(onPath).major < 23) return describe(onPath);
  try {
    if (!existsSync(join(cache, 'docker'))) extractPackage();
  } catch {
    return undefined;
  }
  const found = describe(cache);
  return found.major < 23 ? found : undefined;
}

function which(): string | undefined {
  try {
    const path = execFileSync('sh', ['-c', 'command -v docker'], { encoding: 'utf8' }).trim();
    return path === '' ? undefined : join(path, '..');
  } catch {
    return undefined;
  }
}

function describe(directory: string): DockerCli {
  const text = execFileSync(join(directory, 'docker'), ['--version'], { encoding: 'utf8' });
  return { directory, major: Number(/version (\d+)/.exec(text)?.[1]) };
}

function extractPackage(): void {
  const work = mkdtempSync(join(tmpdir(), 'berth-docker-cli-'));
  try {
    // Newer distributions keep the client in a package of its own.
    const script = 'apt-get download -qq docker-cli 2>/dev/null || apt-get download -qq docker.io; dpkg -x *.deb tree';
    execFileSync('sh', ['-c', script], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
    mkdirSync(cache, { recursive: true });
    renameSync(join(work, 'tree/usr/bin/docker'), join(cache, 'docker'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
