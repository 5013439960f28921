import { addressBytes, addressText } from '#base';

const AF_INET = 2;
const AF_INET6 = 10;

/** A struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)). */
export function encodeSocketAddress(address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  const out = Buffer.alloc(bytes.length === 4 ? 16 : 28);
  out.writeUInt16LE(bytes.length === 4 ? AF_INET : AF_INET6, 0);
  out.writeUInt16BE(port, 2);
  bytes.copy(out, bytes.length === 4 ? 4 : 8);
  return out;
}

/** Address and port of a struct sockaddr_in or sockaddr_in6. */
export function decodeSocketAddress(data: Buffer): { address: string; port: number } {
  const v4 = data.readUInt16LE(0) === AF_INET;
  return { address: addressText(data.subarray(v4 ? 4 : 8, v4 ? 8 : 24)), port: data.readUInt16BE(2) };
}
