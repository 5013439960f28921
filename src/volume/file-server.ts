import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { messageOf, unavailable } from '#base';

/** Ports that servers of these file systems answer on by default (IANA). */
const ports: Readonly<Record<string, number>> = { nfs: 2049, nfs4: 2049, cifs: 445, smb3: 445 };
/** A server that does not take a connection within so many ms is called missing. */
const PATIENCE = 10_000;

/** True for file systems that a server elsewhere keeps. */
export function isRemote(type: string): boolean {
  return type in ports;
}

/**
 * Resolves the server of a remote mount and makes sure that something answers there: mount(2) itself would go on trying for
 * minutes. Returns the option words with the address that the kernel wants. Throws `unavailable` naming the server.
 */
export async function findFileServer(type: string, words: readonly string[]): Promise<string[]> {
  const option = (key: string) => words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  const server = option('addr');
  if (server === undefined) return [...words];
  const address = await resolve(server);
  const overUdp = option('proto')?.startsWith('udp') || words.includes('udp');
  const port = Number(option('port') || ports[type]);
  if (!overUdp && port > 0 && port < 65_536) await answers(server, { host: address, port });
  return words.map((word) => (word.startsWith('addr=') ? `addr=${address}` : word));
}

async function resolve(server: string): Promise<string> {
  try {
    return (await lookup(server)).address;
  } catch (error) {
    throw unavailable(`cannot resolve the server ${server}: ${messageOf(error)}`, { cause: error });
  }
}

async function answers(server: string, at: { host: string; port: number }): Promise<void> {
  const socket = connect({ ...at, timeout: PATIENCE });
  try {
    await new Promise<void>((done, reject) => {
      socket.once('connect', done);
      socket.once('error', reject);
      socket.once('timeout', () => reject(new Error(`no answer within ${PATIENCE / 1000} s`)));
    });
  } catch (error) {
    const message = `the server ${server} cannot be reached at port ${at.port}: ${messageOf(error)}`;
    throw unavailable(message, { cause: error });
  } finally {
    socket.destroy();
  }
}
