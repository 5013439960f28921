import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A port of the loopback interface that nobody listened on a moment ago. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** Resolves when something listens on that port of the loopback interface. */
export async function answers(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return undefined;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}
