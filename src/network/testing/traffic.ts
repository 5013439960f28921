import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { NetworkNamespaces, Sockets } from '#host';

/** Clients and servers in network namespaces, for tests. A namespace left out is the test's own. */
export interface Traffic {
  /** Answers `hello` plus the client's address on a TCP port inside a namespace, for as long as `body` runs. */
  serving<T>(netns: string | undefined, port: number, body: () => Promise<T>, address?: string): Promise<T>;
  /** What a TCP server says to somebody inside a namespace, or an error's text; `unreachable` after 1.5 s of silence. */
  ask(netns: string | undefined, host: string, port: number): Promise<string>;
  /** What a program prints that runs inside a namespace. */
  run(netns: string, command: readonly string[]): Promise<string>;
}

/** Makes {@link Traffic}. */
export function createTraffic({ namespaces, sockets }: { namespaces: NetworkNamespaces; sockets: Sockets }): Traffic {
  async function serving<T>(
    netns: string | undefined,
    port: number,
    body: () => Promise<T>,
    address = '0.0.0.0',
  ): Promise<T> {
    const bind = () => sockets.bind({ protocol: 'tcp', address, port });
    const { fd } = netns === undefined ? bind() : namespaces.enter(netns, bind);
    const server = createServer((client) => client.end(`hello ${client.remoteAddress}`));
    server.listen({ fd });
    await once(server, 'listening');
    try {
      return await body();
    } finally {
      server.close();
    }
  }

  async function ask(netns: string | undefined, host: string, port: number): Promise<string> {
    if (netns === undefined) {
      const socket = connect({ host, port });
      return talk(socket.setTimeout(1500, () => socket.destroy(new Error('unreachable'))));
    }
    const script = `
      const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
      socket.setTimeout(1500, () => socket.destroy(new Error('unreachable')));
      socket.on('error', (error) => console.log(error.message));
      socket.pipe(process.stdout);`;
    return run(netns, [process.execPath, '-e', script, host, String(port)]);
  }

  async function run(netns: string, [command = '', ...args]: readonly string[]): Promise<string> {
    const child = namespaces.enter(netns, () => spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await once(child, 'close');
    return said.trim();
  }

  return { serving, ask, run };
}

async function talk(socket: ReturnType<typeof connect>): Promise<string> {
  let said = '';
  try {
    for await (const chunk of socket) said += chunk;
    return said;
  } catch (error) {
    return String(error);
  }
}
