import { after, before } from 'node:test';
import { importBusybox } from './busybox.ts';
import { TestDaemon } from './daemon.ts';
import { Docker } from './docker.ts';

/**
 * A daemon with busybox for all tests of a suite, and the docker CLI at it: started before them, ended with all it made
 * after them. Takes what {@link TestDaemon} takes. Hooks run in the order of their calls: what the daemon needs belongs
 * into a `before` above the call of this function, what has to end before the daemon does into an `after` above it.
 */
export function daemonForTests(
  flags?: readonly string[],
  launch?: readonly string[],
): { daemon: TestDaemon; docker: Docker } {
  const daemon = new TestDaemon(flags, launch);
  before(async () => {
    await daemon.start();
    importBusybox(daemon.socket);
  });
  after(() => daemon[Symbol.asyncDispose]());
  return { daemon, docker: new Docker(daemon.host) };
}
