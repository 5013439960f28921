import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isBerthError } from '#base';
import { createProcesses } from './processes.ts';

const processes = createProcesses();

describe('createProcesses', () => {
  it('feeds input and gives exit code, output and errors', async () => {
    const result = await processes.run('sh', ['-c', 'cat; echo bad >&2; exit 3'], { input: 'in' });
    assert.deepEqual(result, { code: 3, stdout: 'in', stderr: 'bad\n' });
  });

  it('counts a program that a signal ended as 128 and the signal', async () => {
    assert.equal((await processes.run('sh', ['-c', 'kill -9 $$'])).code, 137);
  });

  it('does not mind a program that ignores its input', async () => {
    assert.equal((await processes.run('true', [], { input: 'x'.repeat(1 << 20) })).code, 0);
  });

  it('rejects as unavailable when the program does not exist', async () => {
    await assert.rejects(processes.run('/nonexistent/program', []), (error) => isBerthError(error, 'unavailable'));
  });

  it('ends the program when the signal aborts', async () => {
    const abort = new AbortController();
    const running = processes.run('sh', ['-c', 'echo started; exec sleep 600'], { signal: abort.signal });
    abort.abort();
    await assert.rejects(running, (error) => isBerthError(error, 'unavailable'));
  });

  it('enters the network namespace it is asked for', async () => {
    const entered: string[] = [];
    const inside = createProcesses({
      namespaces: {
        enter(path, body) {
          entered.push(path);
          return body();
        },
      },
    });
    assert.equal((await inside.run('true', [], { netns: '/run/x' })).code, 0);
    assert.deepEqual(entered, ['/run/x']);
    await assert.rejects(processes.run('true', [], { netns: '/run/x' }), /no way into network namespace/);
  });

  it('spawns with extra descriptors', async () => {
    const child = processes.spawn('sh', ['-c', 'echo hello >&3'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const pipe = child.stdio[3];
    assert.ok(pipe && 'read' in pipe);
    let text = '';
    pipe.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    assert.equal(text, 'hello\n');
  });

  it('gives a child its directory, its environment, a session of its own and default signals', async () => {
    const child = processes.spawn('sh', ['-c', 'cut -d " " -f 6 /proc/$$/stat; pwd; echo $WORD; kill -PIPE $$'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: '/proc',
      env: { PATH: process.env.PATH, WORD: 'spoken' },
      detached: true,
    });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    assert.deepEqual(await once(child, 'close'), [null, 'SIGPIPE']);
    assert.equal(text, `${child.pid}\n/proc\nspoken\n`);
  });

  it('hands a descriptor of its own to a child under another number, also when the numbers overlap', async () => {
    const file = await open('/proc/version', 'r');
    const stdio = Array.from({ length: file.fd + 2 }, () => 'ignore' as 'ignore' | 'pipe' | number);
    stdio[1] = 'pipe';
    stdio[file.fd] = 'pipe';
    stdio[file.fd + 1] = file.fd;
    const child = processes.spawn('sh', ['-c', `readlink /proc/self/fd/${file.fd + 1}`], { stdio });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await once(child, 'close');
    await file.close();
    assert.equal(text, '/proc/version\n');
  });

  it('goes on while a program that splices into a relayed pipe waits for its input', async () => {
    const child = processes.spawn('busybox', ['sh', '-c', 'exec busybox cat <&3'], {
      stdio: ['ignore', 'relay', 'ignore', 'pipe'],
    });
    const [, output, , input] = child.stdio;
    assert.ok(output && input);
    let text = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    input.write('first ');
    while (existsSync(`/proc/${child.pid}`) && !readFileSync(`/proc/${child.pid}/wchan`, 'utf8').includes('unix')) {
      await setImmediate();
    }
    input.end('last');
    await once(child, 'close');
    assert.equal(text, 'first last');
  });

  it('closes though nobody reads the output, and leaves no zombie', async () => {
    const child = processes.spawn('sh', ['-c', 'echo unheard; exit 7'], { stdio: ['ignore', 'pipe', 'pipe'] });
    assert.deepEqual(await once(child, 'close'), [7, null]);
    assert.equal(child.kill(), false);
    await assert.rejects(readFile(`/proc/${child.pid}/stat`), /ENOENT/);
  });
});
