import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, watch } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unavailable } from '#base';

/** How long a daemon may take to answer, in milliseconds. */
const patience = 30_000;

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/**
 * Starts berthd in the background, detached from this process, and resolves when its socket takes connections.
 * Its messages go to `berthd.log` beside the socket. Throws `unavailable` when it ends or stays silent.
 */
export async function startDaemon(socket: string): Promise<void> {
  const program = fileURLToPath(new URL('../../../bin/berthd', import.meta.url));
  if (!existsSync(program)) throw unavailable(`there is no daemon to start: ${program} is missing`);
  const directory = dirname(socket);
  mkdirSync(directory, { recursive: true });
  const log = join(directory, 'berthd.log');
  const output = openSync(log, 'a', 0o640);
  const daemon = spawn(program, [], { detached: true, stdio: ['ignore', output, output], cwd: '/' });
  closeSync(output);
  daemon.unref();
  await new Promise<void>((resolve, reject) => {
    const watcher = watch(directory);
    const finish = (error?: Error): void => {
      watcher.close();
      clearTimeout(timer);
      daemon.removeAllListeners();
      if (error) reject(error);
      else resolve();
    };
    const check = (): void => {
      void answers(socket).then((yes) => yes && finish());
    };
    const timer = setTimeout(
      () => finish(unavailable(`berthd did not answer within ${patience / 1000} s, see ${log}`)),
      patience,
    );
    watcher.on('change', (_, name) => {
      if (name === null || String(name) === basename(socket)) check();
    });
    watcher.on('error', finish);
    daemon.once('error', finish);
    daemon.once('exit', (code, signal) => finish(unavailable(`berthd ended at once (${signal ?? code}), see ${log}`)));
    check();
  });
}
