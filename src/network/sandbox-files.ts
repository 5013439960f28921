import { readFileSync } from 'node:fs';
import { shortId } from '#base';
import {
  forwardServers,
  parseResolvConf,
  type ResolvSettings,
  renderCopiedResolvConf,
  renderHosts,
  renderInternalResolvConf,
} from './files.ts';
import type { SandboxRecord, SandboxRecords } from './sandbox-records.ts';

/** Where the host keeps its own files; a test has others. */
export interface HostFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

/** The host's resolver settings now; empty when there is no file. */
export function hostResolvSettings(files: HostFiles): ResolvSettings {
  return parseResolvConf(read(files.resolvConf));
}

/** True when the sandbox has a user-defined network, whose names our DNS answers. */
export function hasInternalDns(record: SandboxRecord): boolean {
  return record.endpoints.some(({ endpoint }) => endpoint.dnsNames.length > 0);
}

/** /etc/hosts and /etc/resolv.conf of a sandbox as it is now. `gateway` is what `host-gateway` stands for. */
export function sandboxFiles(
  record: SandboxRecord,
  records: SandboxRecords,
  host: { files: HostFiles; gateway: string | undefined },
): { hostsFile: string; resolvConf: string } {
  const extraHosts = record.extraHosts.map((entry) => entry.replace(/([:=])host-gateway$/, `$1${host.gateway ?? ''}`));
  const settings = hostResolvSettings(host.files);
  if (record.netns === '') {
    const extra = extraHosts.map((entry) => entry.replace(/^([^:=]+)[:=](.*)$/, '$2\t$1\n')).join('');
    return {
      hostsFile: read(host.files.hosts) + extra,
      resolvConf: renderCopiedResolvConf(settings, record.dns, true),
    };
  }
  const addresses = record.endpoints.flatMap(({ endpoint }) =>
    [endpoint.ipv4?.address, endpoint.ipv6?.address].filter((address) => address !== undefined),
  );
  return {
    hostsFile: renderHosts({
      hostname: record.owner.hostname,
      domainname: record.owner.domainname,
      addresses,
      extraHosts,
      links: linkLines(record, records),
    }),
    resolvConf: hasInternalDns(record)
      ? renderInternalResolvConf(settings, record.dns, forwardServers(settings, record.dns))
      : renderCopiedResolvConf(settings, record.dns),
  };
}

/** `--link` on the default bridge is lines in /etc/hosts; elsewhere it is DNS. */
function linkLines(record: SandboxRecord, records: SandboxRecords) {
  return record.endpoints
    .filter(({ endpoint }) => endpoint.dnsNames.length === 0)
    .flatMap(({ request, endpoint }) =>
      Object.entries(request.links ?? {}).flatMap(([alias, name]) => {
        const other = records.on(endpoint.networkId).find((peer) => peer.record.owner.name === name);
        const address = other?.endpoint.ipv4?.address;
        if (!other || address === undefined) return [];
        return [{ address, names: [...new Set([alias, shortId(other.record.owner.id), name])] }];
      }),
    );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
