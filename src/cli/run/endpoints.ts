import type { EndpointSettings } from '#api-types';
import { conflict, invalid } from '#base';
import { type FlagValues, splitCsv } from '../flags/index.ts';

/** A network to join and what to be there. */
export interface NetworkAttachment {
  target: string;
  aliases: string[];
  links: string[];
  ipv4: string;
  ipv6: string;
  linkLocal: string[];
  mac: string;
  driverOpts: Record<string, string>;
  gwPriority: number;
}

function emptyAttachment(target: string): NetworkAttachment {
  return { target, aliases: [], links: [], ipv4: '', ipv6: '', linkLocal: [], mac: '', driverOpts: {}, gwPriority: 0 };
}

/** Reads one `--network` word: a name, or `name=NET,alias=...,ip=...`. Throws `invalid` with Docker's texts. */
export function readNetworkFlag(word: string): NetworkAttachment {
  if (!/=/.test(word)) return emptyAttachment(word);
  const attachment = emptyAttachment('');
  for (const field of splitCsv(word)) {
    const equals = field.indexOf('=');
    if (equals < 1) throw invalid(`invalid field ${field}`);
    const key = field.slice(0, equals).trim().toLowerCase();
    const value = field.slice(equals + 1).trim();
    if (key === 'name') attachment.target = value;
    else if (key === 'alias') attachment.aliases.push(value);
    else if (key === 'ip') attachment.ipv4 = value;
    else if (key === 'ip6') attachment.ipv6 = value;
    else if (key === 'mac-address') attachment.mac = value;
    else if (key === 'link-local-ip') attachment.linkLocal.push(value);
    else if (key === 'driver-opt') {
      const [option = '', ...rest] = value.split('=');
      if (rest.length === 0) throw invalid('invalid key value pair format in driver options');
      attachment.driverOpts[option] = rest.join('=');
    } else if (key === 'gw-priority') {
      if (!/^-?\d+$/.test(value))
        throw invalid(`invalid gw-priority: strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
      attachment.gwPriority = Number(value);
    } else throw invalid(`invalid field key ${key}`);
  }
  if (attachment.target === '') throw invalid('network name/id is not specified');
  return attachment;
}

/** The API's settings of an attachment. */
export function endpointSettings(attachment: NetworkAttachment): Partial<EndpointSettings> {
  const { ipv4, ipv6, linkLocal } = attachment;
  const ipam = {
    ...(ipv4 === '' ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === '' ? {} : { IPv6Address: ipv6 }),
    ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
  };
  return {
    ...(Object.keys(ipam).length === 0 ? {} : { IPAMConfig: ipam }),
    ...(attachment.aliases.length === 0 ? {} : { Aliases: attachment.aliases }),
    ...(attachment.links.length === 0 ? {} : { Links: attachment.links }),
    ...(Object.keys(attachment.driverOpts).length === 0 ? {} : { DriverOpts: attachment.driverOpts }),
    ...(attachment.mac === '' ? {} : { MacAddress: attachment.mac }),
    ...(attachment.gwPriority === 0 ? {} : { GwPriority: attachment.gwPriority }),
  };
}

/** Whether a network mode is the name of a network that users made. */
function isUserNetwork(mode: string): boolean {
  return !['', 'default', 'bridge', 'host', 'none'].includes(mode) && !mode.startsWith('container:');
}

function applyFlags(first: NetworkAttachment, flags: FlagValues): void {
  const ipGiven = flags.changed('ip') || flags.changed('ip6') || flags.list('link-local-ip').length > 0;
  if (first.aliases.length > 0 && flags.list('network-alias').length > 0) {
    throw conflict('conflicting options: cannot specify both --network-alias and per-network alias');
  }
  if (first.links.length > 0 && flags.list('link').length > 0) {
    throw conflict('conflicting options: cannot specify both --link and per-network links');
  }
  if (ipGiven && first.ipv4 !== '')
    throw conflict('conflicting options: cannot specify both --ip and per-network IPv4 address');
  if (ipGiven && first.ipv6 !== '')
    throw conflict('conflicting options: cannot specify both --ip6 and per-network IPv6 address');
  if (flags.changed('mac-address') && first.mac !== '') {
    throw conflict('conflicting options: cannot specify both --mac-address and per-network MAC address');
  }
  if (flags.list('network-alias').length > 0) first.aliases = flags.list('network-alias');
  if (flags.list('link').length > 0) first.links = flags.list('link');
  if (flags.changed('ip')) first.ipv4 = flags.string('ip');
  if (flags.changed('ip6')) first.ipv6 = flags.string('ip6');
  if (flags.changed('mac-address')) first.mac = flags.string('mac-address');
  if (flags.list('link-local-ip').length > 0) first.linkLocal = flags.list('link-local-ip');
}

/** All networks of a new container: the mode of its first, and the settings by name. Throws with Docker's texts. */
export function readEndpoints(flags: FlagValues): {
  mode: string;
  endpoints: Record<string, Partial<EndpointSettings>>;
} {
  const attachments = flags.list('network').map(readNetworkFlag);
  if (attachments.length === 0) attachments.push(emptyAttachment('default'));
  const [first] = attachments;
  if (first) applyFlags(first, flags);
  const endpoints: Record<string, Partial<EndpointSettings>> = {};
  for (const attachment of attachments) {
    const { target } = attachment;
    const settings = endpointSettings(attachment);
    if (!isUserNetwork(target)) {
      if (attachment.aliases.length > 0)
        throw invalid('network-scoped aliases are only supported for user-defined networks');
      delete settings.Links;
      if (attachments.length > 1 && (target.startsWith('container:') || target === 'host')) {
        throw invalid('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
      }
    }
    if (endpoints[target] !== undefined) {
      throw conflict(
        `conflicting options: cannot specify the same network more than once: network ${JSON.stringify(target)} is specified multiple times`,
      );
    }
    endpoints[target] = settings;
  }
  return { mode: first?.target ?? 'default', endpoints };
}
