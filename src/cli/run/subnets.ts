import { BlockList, isIP } from 'node:net';
import { invalid } from '#base';

/** A subnet in CIDR form in parts. Throws `invalid` with Go's text. */
export function readCidr(text: string): { address: string; bits: number } {
  const [address = '', bits = ''] = text.split('/');
  if (isIP(address) === 0 || !/^\d+$/.test(bits)) throw invalid(`invalid CIDR address: ${text}`);
  return { address, bits: Number(bits) };
}

/** Whether an address lies in a subnet; of the other family it never does. */
export function contains(subnet: string, address: string): boolean {
  const { address: base, bits } = readCidr(subnet);
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(address) !== isIP(base)) return false;
  const list = new BlockList();
  list.addSubnet(base, bits, family);
  return list.check(address, family);
}
