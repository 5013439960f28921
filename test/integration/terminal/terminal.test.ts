import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests, findDockerCli, Terminal } from '#testkit';

const clients = {
  docker: join(findDockerCli().directory, 'docker'),
  berth: fileURLToPath(new URL('../../../bin/berth', import.meta.url)),
};

for (const [name, program] of Object.entries(clients)) {
  describe(`${name} on a terminal`, () => {
    const { daemon, docker } = daemonForTests();

    const open = (...args: string[]) =>
      new Terminal(program, args, { env: { DOCKER_HOST: daemon.host, BERTH_HOST: daemon.host } });

    test('run -it gives a shell that echoes, resizes, interrupts and ends with its code', async () => {
      using terminal = open('run', '-it', '--rm', 'busybox', 'sh');
      await terminal.see(/# /);
      terminal.type('stty size\n');
      await terminal.see(/24 80/);
      terminal.resize(33, 101);
      // The client learns of the new size by a signal and tells the engine; how soon is the machine's business.
      terminal.type('until stty size | grep "33 101"; do sleep 0.05; done\n');
      await terminal.see(/33 101\r+\n/);
      terminal.type('echo asl"eep"; sleep 100\n');
      await terminal.see(/asleep/);
      terminal.type('\x03');
      await terminal.see(/\^C/);
      terminal.type('echo inter"rupted"\n');
      await terminal.see(/interrupted/);
      terminal.type('exit 5\n');
      assert.equal(await terminal.exit, 5);
    });

    test('exec -it gives a second shell in a running container', async () => {
      await docker.run('run', '-d', '--name', 'host', 'busybox', 'sleep', '300');
      using terminal = open('exec', '-it', 'host', 'sh');
      await terminal.see(/# /);
      terminal.type('tty; echo $$; exit 3\n');
      await terminal.see(/\/dev\/pts\/\d/);
      assert.equal(await terminal.exit, 3);
      await docker.run('rm', '-f', 'host');
    });

    test('Ctrl-P Ctrl-Q leaves the container running, attach comes back to it', async () => {
      using first = open('run', '-it', '--name', 'left', 'busybox', 'sh');
      await first.see(/# /);
      first.type('marker=still-here\n');
      // As a person does, who sees what was typed before the keys that detach.
      await first.see(/still-here.*# /s);
      first.type('\x10\x11');
      assert.equal(await first.exit, 0);
      assert.equal(await docker.run('inspect', '-f', '{{.State.Status}}', 'left'), 'running');
      using second = open('attach', 'left');
      second.type('\necho "=$marker="\n');
      await second.see(/=still-here=/);
      second.type('exit\n');
      assert.equal(await second.exit, 0);
      await docker.run('rm', '-f', 'left');
    });
  });
}
