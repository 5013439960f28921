// Runs inside one network namespace, told what to do by its parent over IPC: serves ports, and asks others.
import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';
import type { Answer, Order } from './probe.ts';

const patience = 1200;

async function serve(port: number): Promise<void> {
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    client.end(client.remoteAddress ?? '');
  });
  await new Promise<void>((resolve) => server.listen(port, '::', resolve));
  for (const kind of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type: kind, ipv6Only: kind === 'udp6' });
    socket.on('message', (_message, from) => socket.send(from.address, from.port, from.address));
    await new Promise<void>((resolve) => socket.bind(port, resolve));
  }
}

function askTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let said = '';
    socket.setTimeout(patience, () => socket.destroy());
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });
}

/** Asks again after a while: the first datagram may be lost while a neighbour is being looked up. */
function askUdp(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const send = () => socket.send('?', port, host, () => {});
    const again = setInterval(send, patience / 4);
    const finish = (said: string) => {
      clearInterval(again);
      clearTimeout(end);
      socket.close();
      resolve(said);
    };
    const end = setTimeout(() => finish(''), patience);
    socket.on('error', () => {});
    socket.on('message', (message) => finish(String(message)));
    send();
  });
}

process.on('message', async (order: Order) => {
  const answer: Answer = { id: order.id, said: '' };
  if (order.kind === 'serve') for (const port of order.ports) await serve(port);
  else answer.said = await (order.protocol === 'tcp' ? askTcp : askUdp)(order.host, order.port);
  process.send?.(answer);
});
process.on('disconnect', () => process.exit());
