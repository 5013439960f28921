import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
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
});
