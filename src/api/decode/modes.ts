import { isIP } from 'node:net';
import { invalid } from '#base';

/** HostConfig's namespace modes, as sent. */
export interface Modes {
  readonly network: string;
  readonly ipc: string;
  readonly pid: string;
  readonly uts: string;
  readonly userns: string;
  readonly cgroupns: string;
}

const joins = (mode: string) => /^container:.+/.test(mode);

/** Checks the namespace modes. Throws `invalid` with Docker's texts. */
export function checkModes(modes: Modes): void {
  const { network, ipc, pid, uts, userns, cgroupns } = modes;
  if (network.startsWith('container:') && !joins(network)) {
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  }
  if (!['', 'none', 'private', 'shareable', 'host'].includes(ipc) && !joins(ipc))
    throw invalid(`invalid IPC mode: ${ipc}`);
  if (!['', 'host'].includes(pid) && !joins(pid)) throw invalid(`invalid PID mode: ${pid}`);
  if (!['', 'host'].includes(uts)) throw invalid(`invalid UTS mode: ${uts}`);
  if (!['', 'host'].includes(userns)) throw invalid(`invalid user namespace mode: ${userns}`);
  if (!['', 'host', 'private'].includes(cgroupns)) throw invalid(`invalid cgroup namespace mode: ${cgroupns}`);
}

/** What cannot go together with another container's network. */
export interface NetworkWishes {
  readonly hostname: string;
  readonly links: readonly string[];
  readonly dns: readonly string[];
  readonly extraHosts: readonly string[];
  readonly publishes: boolean;
  readonly exposes: boolean;
  readonly mac: string;
}

/** Throws `invalid` with Docker's texts where the network mode and other settings contradict each other. */
export function checkNetworkConflicts(modes: Pick<Modes, 'network' | 'uts'>, wishes: NetworkWishes): void {
  const { network, uts } = modes;
  const joined = joins(network);
  const conflict = (what: string, mode = 'the network mode') => invalid(`conflicting options: ${what} and ${mode}`);
  if (joined && wishes.hostname !== '') throw conflict('hostname');
  if (uts === 'host' && wishes.hostname !== '') throw conflict('hostname', 'the UTS mode');
  if (network === 'host' && wishes.links.length > 0)
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  if (!joined) return;
  if (wishes.links.length > 0)
    throw invalid(
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    );
  if (wishes.dns.length > 0) throw conflict('dns');
  if (wishes.extraHosts.length > 0) throw conflict('custom host-to-IP mapping');
  if (wishes.mac !== '') throw conflict('mac-address');
  if (wishes.publishes) throw conflict('port publishing', 'the container type network mode');
  if (wishes.exposes) throw conflict('port exposing', 'the container type network mode');
}

/** Checks `name:ip` entries (also `name=ip`) and returns them with a colon. Throws `invalid` with Docker's texts. */
export function checkExtraHosts(entries: readonly string[]): string[] {
  return entries.map((entry) => {
    const at = /[:=]/.exec(entry)?.index ?? -1;
    const name = entry.slice(0, at);
    const address = entry.slice(at + 1);
    if (at < 1 || address === '') throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (bare !== 'host-gateway' && isIP(bare) === 0) {
      throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
    }
    return `${name}:${bare}`;
  });
}
