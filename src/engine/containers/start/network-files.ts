import { readFile, writeFile } from 'node:fs/promises';
import type { Sandbox } from '#network';
import type { RuntimeMount } from '#oci';
import type { LiveContainer } from '../live-container.ts';

type Paths = LiveContainer['settings']['paths'];

/**
 * Writes hosts, hostname and resolv.conf of a container. They are written in place, never replaced: the container has
 * the files themselves mounted. Without a sandbox (host network) they are the host's, with what was asked added.
 */
export async function writeNetworkFiles(container: LiveContainer, sandbox: Sandbox | undefined): Promise<void> {
  const { paths, hostname } = container.settings;
  const [hosts, resolvConf] = sandbox
    ? [sandbox.hostsFile, sandbox.resolvConf]
    : await Promise.all([hostHosts(container), hostResolvConf(container)]);
  await Promise.all([
    writeFile(paths.hosts, hosts),
    writeFile(paths.resolvConf, resolvConf),
    writeFile(paths.hostname, `${hostname}\n`),
  ]);
}

/** Binds of the three files, except where the user mounts something of his own. */
export function networkFileMounts(paths: Paths, taken: ReadonlySet<string>): RuntimeMount[] {
  return [
    { destination: '/etc/resolv.conf', source: paths.resolvConf },
    { destination: '/etc/hostname', source: paths.hostname },
    { destination: '/etc/hosts', source: paths.hosts },
  ]
    .filter(({ destination }) => !taken.has(destination))
    .map((mount) => ({ ...mount, type: 'bind', options: ['rbind', 'rprivate'] }));
}

async function hostHosts(container: LiveContainer): Promise<string> {
  const own = await readFile('/etc/hosts', 'utf8').catch(() => '127.0.0.1\tlocalhost\n');
  const extra = container.settings.host.extraHosts.map((line) => {
    const colon = line.search(/[:=]/);
    const address = line.slice(colon + 1);
    return `${address === 'host-gateway' ? '127.0.0.1' : address}\t${line.slice(0, colon)}\n`;
  });
  return own + extra.join('');
}

async function hostResolvConf(container: LiveContainer): Promise<string> {
  const { dns, dnsSearch, dnsOptions } = container.settings.host;
  const own = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const lines = own.split('\n').filter((line) => line !== '');
  const replace = (key: string, values: readonly string[]) => {
    if (values.length === 0) return lines.filter((line) => line.startsWith(`${key} `));
    return key === 'nameserver' ? values.map((value) => `${key} ${value}`) : [`${key} ${values.join(' ')}`];
  };
  return [...replace('nameserver', dns), ...replace('search', dnsSearch), ...replace('options', dnsOptions), ''].join(
    '\n',
  );
}
