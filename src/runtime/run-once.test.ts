import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { isBerthError } from '#base';
import { enterPrivateMounts, RuntimeFixture } from '#testkit';

enterPrivateMounts();

describe('runOnce', () => {
  let fixture: RuntimeFixture;
  before(async () => {
    fixture = await RuntimeFixture.create();
  });
  after(() => fixture.dispose());

  const leftovers = async (id: string): Promise<string[]> => {
    const once = await readdir(`${fixture.directory}/exec/once`);
    const state = await readdir(`${fixture.directory}/exec/state/crun`);
    const cgroup = `/sys/fs/cgroup/memory${fixture.cgroupParent}/${id}`;
    return [...once, ...state, ...(existsSync(cgroup) ? [cgroup] : [])];
  };

  it('gives output and exit code and leaves nothing', async () => {
    const text = { stdout: '', stderr: '' };
    const code = await fixture.runtime.runOnce({
      id: 'once-plain',
      spec: fixture.spec('once-plain', ['sh', '-c', 'echo a; echo b >&2; exit 3']),
      output: ({ stream, data }) => {
        text[stream] += data.toString();
      },
    });
    assert.equal(code, 3);
    assert.deepEqual(text, { stdout: 'a\n', stderr: 'b\n' });
    assert.deepEqual(await leftovers('once-plain'), []);
  });

  it('feeds stdin', async () => {
    let text = '';
    const stdin = Duplex.from(['one ', 'two']);
    await fixture.runtime.runOnce({
      id: 'once-stdin',
      spec: fixture.spec('once-stdin', ['cat']),
      stdin,
      output: ({ data }) => {
        text += data.toString();
      },
    });
    assert.equal(text, 'one two');
  });

  it('throws the reason why the program cannot be started, apart from the output', async () => {
    const outputs: string[] = [];
    const spec = fixture.spec('once-missing', ['no-such-program']);
    await assert.rejects(
      fixture.runtime.runOnce({ id: 'once-missing', spec, output: ({ data }) => outputs.push(data.toString()) }),
      (error) => isBerthError(error, 'invalid') && error.details.reason === 'not-found',
    );
    assert.deepEqual(outputs, []);
    assert.deepEqual(await leftovers('once-missing'), []);
  });

  it('writes nothing of the container elsewhere than below an exec root of its own', async () => {
    const execRoot = `${fixture.directory}/private`;
    const spec = fixture.spec('once-private', ['sh', '-c', 'echo up; exec sleep 500']);
    const looked = new AbortController();
    let found: string[][] = [];
    const run = fixture.runtime.runOnce({
      id: 'once-private',
      spec,
      execRoot,
      signal: looked.signal,
      output: () => {
        const places = ['private/once', 'private/state/crun', 'exec/once', 'exec/state/crun'];
        found = places.map((place) => readdirSync(`${fixture.directory}/${place}`));
        looked.abort();
      },
    });
    await assert.rejects(run, (error) => isBerthError(error, 'canceled'));
    assert.deepEqual(found, [['once-private'], ['once-private'], [], []]);
    assert.deepEqual(await readdir(`${execRoot}/once`), []);
    assert.deepEqual(await leftovers('once-private'), []);
  });

  it('kills everything when aborted', async () => {
    const abort = new AbortController();
    const spec = fixture.spec('once-abort', ['sh', '-c', 'sleep 500 & echo up; wait']);
    const run = fixture.runtime.runOnce({ id: 'once-abort', spec, signal: abort.signal, output: () => abort.abort() });
    await assert.rejects(run, (error) => isBerthError(error, 'canceled'));
    assert.deepEqual(await leftovers('once-abort'), []);
  });
});
