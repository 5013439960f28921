import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { importBusybox, TestDaemon } from '#testkit';
import { isBerth, ProjectDirectory } from './project-directory.ts';

/** Says which run it is, and ends politely. */
const counting = `
services:
  a:
    image: busybox
    command: sh -c 'echo x >> /runs; n=$$(wc -l < /runs); trap "echo bye $$n; exit 0" TERM; echo run $$n; while :; do sleep 0.1; done'
    environment: { V: "1" }
  b: { image: busybox, command: sleep 600, init: true }
`;

const lines = (screen: string, pattern: RegExp): string[] => screen.split(/\r?\n/).filter((line) => pattern.test(line));

describe('an attached up', () => {
  let daemon: TestDaemon | undefined;
  let host = process.env.BERTH_TEST_COMPOSE_HOST ?? '';
  before(async () => {
    if (host !== '') return;
    daemon = await TestDaemon.start();
    host = daemon.host;
    importBusybox(daemon.socket);
  });
  after(() => daemon?.[Symbol.asyncDispose]());

  test('goes on over restarts and replacements by others, and shows every line once', { skip: !isBerth }, async () => {
    await using project = new ProjectDirectory(host, counting);
    const looking = project.follow('up', '--no-color', 'a');
    await looking.see(/run 1/);
    await project.run('restart', 'a');
    await looking.see(/run 2/);
    project.write('compose.yaml', counting.replace('V: "1"', 'V: "2"'));
    await project.run('up', '-d', 'a');
    await looking.see(/bye 2.*run 1/s);
    await looking.end('SIGINT');
    const said = lines(looking.output, /\| (run|bye)/).map((line) => line.replace(/^.*\| /, ''));
    assert.deepEqual(said, ['run 1', 'bye 1', 'run 2', 'bye 2', 'run 1', 'bye 1']);
  });

  test('shows every line of services that write a lot and end, below them the keys', { skip: !isBerth }, async () => {
    const service = 'image: busybox, command: ["sh", "-c", "seq 3000"]';
    await using project = new ProjectDirectory(host, `services: { a: { ${service} }, bb: { ${service} } }`);
    using terminal = project.onTerminal('up', '--no-color');
    assert.equal(await terminal.exit, 0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told by control characters
    const shown = lines(terminal.screen.replace(/\x1b\[[\d;]*[A-Za-z]|\r/g, ''), /\|/);
    const numbers = Array.from({ length: 3000 }, (_, index) => String(index + 1));
    for (const label of ['a-1   | ', 'bb-1  | ']) {
      const own = shown.filter((line) => line.startsWith(label)).map((line) => line.slice(label.length));
      assert.deepEqual(own, numbers);
    }
  });

  test('shows what is written where the log driver keeps nothing', async () => {
    const silent = 'services: { a: { image: busybox, command: echo first words, logging: { driver: none } } }';
    await using project = new ProjectDirectory(host, silent);
    assert.match(await project.run('up', '--no-color'), /a-1 {2}\| first words/);
  });

  test('Ctrl-C ends a build at once and leaves what ran before alone', { skip: !isBerth }, async () => {
    await using project = new ProjectDirectory(host, counting);
    await project.run('up', '-d', 'b');
    const long = '    build: { context: ., dockerfile_inline: "FROM busybox\\nRUN echo at work; sleep 300" }';
    project.write('compose.yaml', `${counting}  c:\n${long}\n`);
    using terminal = project.onTerminal('up');
    await terminal.see(/\[c\] at work/);
    terminal.type('\x03');
    assert.equal(await terminal.exit, 130);
    assert.doesNotMatch(terminal.screen, /Gracefully/);
    assert.match(await project.run('ps', '--format', '{{.Service}} {{.State}}'), /^b running$/);
  });

  test('the keys: w says why nothing is watched, d leaves the containers running', { skip: !isBerth }, async () => {
    await using project = new ProjectDirectory(host, counting);
    using terminal = project.onTerminal('up');
    await terminal.see(/run 1.*Enable Watch.* Detach/s);
    terminal.type('w');
    await terminal.see(/Watch: none of the selected services is configured for watch/);
    terminal.type('d');
    assert.equal(await terminal.exit, 0);
    assert.equal(await project.run('ps', '--services', '--status', 'running'), 'a\nb');
  });

  test('the key w watches files, and no more when it is pressed again', { skip: !isBerth }, async () => {
    const develop = '    develop: { watch: [{ path: src, action: sync+restart, target: /src }] }\n';
    await using project = new ProjectDirectory(host, counting.replace('  b:', `${develop}  b:`));
    project.makeDirectory('src');
    using terminal = project.onTerminal('up');
    await terminal.see(/run 1.*Enable Watch/s);
    terminal.type('w');
    await terminal.see(/Watch enabled/);
    project.write('src/x', 'one');
    await terminal.see(/run 2/);
    terminal.type('w');
    await terminal.see(/Watch disabled/);
    terminal.type('\x03');
    assert.equal(await terminal.exit, 130);
    assert.match(terminal.screen, /Gracefully Stopping.*bye 2/s);
  });

  test('without the menu there are no keys, and a second Ctrl-C kills', { skip: !isBerth }, async () => {
    const stubborn = counting.replace('echo bye $$n; exit 0', 'echo no');
    await using project = new ProjectDirectory(host, stubborn);
    using terminal = project.onTerminal('up', '--menu=false');
    await terminal.see(/run 1/);
    terminal.type('\x03');
    await terminal.see(/\| .*no/);
    terminal.type('\x03');
    assert.equal(await terminal.exit, 130);
    assert.doesNotMatch(terminal.screen, /Detach/);
    assert.match(terminal.screen, /a-1 exited with code 137/);
  });

  test('an engine that is restarted is waited for', async (context) => {
    if (daemon === undefined) return context.skip('the engine is not ours to restart');
    await using project = new ProjectDirectory(host, counting);
    const looking = project.follow('up', '--no-color', 'a');
    await looking.see(/run 1/);
    await daemon.kill();
    await looking.see(/engine has gone away/);
    await daemon.start();
    await project.run('restart', 'a');
    await looking.see(/run 2/);
    await looking.end('SIGINT');
    assert.match(looking.output, /bye 2/);
  });
});
