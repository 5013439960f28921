import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

/** A syslog server on TCP that can go away and come back at its port. */
class Collector {
  readonly lines: string[] = [];
  port = 0;
  #server: Server | undefined;
  readonly #clients = new Set<Socket>();
  #waiting: (() => void)[] = [];

  async open(): Promise<void> {
    this.#server = createServer((client) => {
      this.#clients.add(client);
      client.on('error', () => {});
      createInterface({ input: client }).on('line', (line) => {
        this.lines.push(line);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }).listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = this.#server?.listening ? once(this.#server, 'close') : undefined;
    this.#server?.close();
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  async until(done: (lines: readonly string[]) => boolean): Promise<void> {
    while (!done(this.lines)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

describe('the syslog driver', () => {
  const { daemon, docker } = daemonForTests();
  const collector = new Collector();
  before(async () => {
    await collector.open();
  });
  after(async () => {
    await collector.close();
  });
  const driver = (address: string, ...options: string[]) => [
    ...['--log-driver', 'syslog', '--log-opt', `syslog-address=${address}`],
    ...options.flatMap((option) => ['--log-opt', option]),
  ];

  test('sends each line with its severity and tag, and logs still reads them', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    const got: string[] = [];
    const both = new Promise<void>((resolve) => {
      server.on('message', (message) => {
        if (got.push(message.toString()) === 2) resolve();
      });
    });
    const address = `udp://127.0.0.1:${server.address().port}`;
    const options = driver(address, 'syslog-facility=local3', 'tag={{.Name}}');
    await docker.run('run', '--name', 'said', ...options, 'busybox', 'sh', '-c', 'echo out; echo err >&2');
    await both;
    server.close();
    assert.match(
      got.find((line) => line.includes('out')) ?? '',
      /^<158>\w{3} [ \d]\d \d\d:\d\d:\d\d said\[\d+\]: out\n$/,
    );
    assert.match(got.find((line) => line.includes('err')) ?? '', /^<155>.* said\[\d+\]: err\n$/);
    assert.equal(await docker.run('logs', 'said'), 'out');
    await docker.run('rm', 'said');
  });

  test('loses no line while the server is away and the daemon is killed, and keeps their order', async () => {
    const count = 300;
    const script = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; sleep 0.01; done`;
    const options = driver(`tcp://127.0.0.1:${collector.port}`, 'syslog-format=rfc5424');
    await docker.run('run', '-d', '--name', 'counts', ...options, 'busybox', 'sh', '-c', script);
    await collector.until((lines) => lines.length >= 20);
    await daemon.kill();
    await daemon.start();
    const seen = collector.lines.length;
    await collector.until((lines) => lines.length >= seen + 20);
    await collector.close();
    await collector.open();
    await collector.until((lines) => lines.at(-1)?.endsWith(`line ${count}`) ?? false);
    const numbers = collector.lines.map((line) => Number(/ - line (\d+)$/.exec(line)?.[1]));
    // A killed daemon may send its last second again; nothing is left out.
    assert.deepEqual(
      [...new Set(numbers)].sort((a, b) => a - b),
      Array.from({ length: count }, (_, index) => index + 1),
    );
    await docker.run('rm', '-f', 'counts');
  });

  test('reaches a datagram socket of the host, also with the last line of a container that is removed at once', async () => {
    const path = join(daemon.directory, 'log');
    const program =
      'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; print "ready\\n"; ' +
      'while (defined recv(S, $m, 65536, 0)) { print $m; last if $m =~ /last/ }';
    const reader = spawn('perl', ['-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(reader, 'close');
    const lines: string[] = [];
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: reader.stdout }).on('line', (line) => {
        lines.push(line);
        resolve();
      });
    });
    await ready;
    await docker.run('run', '--rm', ...driver(`unixgram://${path}`), 'busybox', 'sh', '-c', 'echo first; echo last');
    await closed;
    assert.match(lines.join('\n'), /^ready\n<30>.*: first\n<30>.*: last$/);
  });

  test('a start fails where the log cannot go, and values that are none are refused', async () => {
    const refused = async (args: readonly string[], message: RegExp) => {
      const { code, stderr } = await docker.try(['run', '--rm', ...args, 'busybox', 'true']);
      assert.equal(code, 125);
      assert.match(stderr, message);
    };
    await refused(driver('tcp://127.0.0.1:1'), /failed to initialize logging driver: dial tcp .*connection refused/);
    await refused(driver('unixgram:///no/such/socket'), /failed to initialize logging driver/);
    await refused(driver('udp://127.0.0.1', 'syslog-facility=none'), /invalid syslog facility/);
    await refused(driver('udp://127.0.0.1', 'syslog-format=rfc1'), /Invalid syslog format/);
    await refused(driver('udp://127.0.0.1', 'colour=red'), /unknown log opt 'colour' for syslog log driver/);
    assert.equal(await docker.run('ps', '-aq'), '');
  });
});
