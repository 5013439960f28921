import { invalid } from '#base';
import type { ContainerRequest, HostSettings } from '../container.ts';

const joins = (mode: string) => /^container:.+/.test(mode);

/** Checks the namespace modes. Throws `invalid` with Docker's texts. */
export function checkModes(host: HostSettings): void {
  if (host.networkMode.startsWith('container:') && !joins(host.networkMode)) {
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  }
  const check = (what: string, mode: string, words: readonly string[]) => {
    if (mode !== '' && !words.includes(mode)) throw invalid(`invalid ${what} mode: ${mode}`);
  };
  if (!joins(host.ipcMode)) check('IPC', host.ipcMode, ['none', 'private', 'shareable', 'host']);
  if (!joins(host.pidMode)) check('PID', host.pidMode, ['host']);
  check('UTS', host.utsMode, ['host']);
  check('user namespace', host.usernsMode, ['host']);
  check('cgroup namespace', host.cgroupnsMode, ['host', 'private']);
}

/** Throws `invalid` with Docker's texts where the network mode and other settings contradict each other. */
export function checkNetworkConflicts({ host, hostname, macAddress, exposedPorts }: ContainerRequest): void {
  const { networkMode, links } = host;
  const conflict = (what: string, mode = 'the network mode') => invalid(`conflicting options: ${what} and ${mode}`);
  const withLinks = (type: string) =>
    invalid(`conflicting options: ${type} can't be used with links. This would result in undefined behavior`);
  const joined = joins(networkMode);
  if (joined && hostname !== '') throw conflict('hostname');
  if (host.utsMode === 'host' && hostname !== '') throw conflict('hostname', 'the UTS mode');
  if (networkMode === 'host' && links.length > 0) throw withLinks('host type networking');
  if (!joined) return;
  if (links.length > 0) throw withLinks('container type network');
  if (host.dns.length > 0) throw conflict('dns');
  if (host.extraHosts.length > 0) throw conflict('custom host-to-IP mapping');
  if (macAddress) throw conflict('mac-address');
  if (host.ports.length > 0 || host.publishAllPorts) {
    throw conflict('port publishing', 'the container type network mode');
  }
  if (exposedPorts.length > 0) throw conflict('port exposing', 'the container type network mode');
}
