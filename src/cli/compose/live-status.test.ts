import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { LiveStatus } from './live-status.ts';

/** What stands on a terminal after `text` was written to it, and the longest line there ever was. */
function screenOf(text: string): { rows: string[]; longest: number } {
  let rows = [''];
  let [row, column, longest] = [0, 0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told by control characters
  for (const [part, count, letter] of text.matchAll(/\x1b\[([\d;]*)([A-Za-z])|[\s\S]/g)) {
    if (letter === 'A') row -= Number(count);
    else if (letter === 'J') rows = [...rows.slice(0, row), (rows[row] ?? '').slice(0, column)];
    else if (letter === 'K') rows[row] = (rows[row] ?? '').slice(0, column);
    else if (part === '\r') column = 0;
    else if (part === '\n') {
      row += 1;
      column = 0;
      rows[row] ??= '';
    } else if (letter === undefined) {
      const line = (rows[row] ?? '').padEnd(column);
      rows[row] = line.slice(0, column) + part + line.slice(column + 1);
      column += 1;
      longest = Math.max(longest, column);
    }
  }
  return { rows, longest };
}

function terminal(columns: number) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns, rows: 20 });
  let text = '';
  stream.on('data', (chunk: string) => {
    text += chunk;
  });
  const status = new LiveStatus(stream, { colour: true, warning: (message) => `WARN ${message}\n` });
  return { status, stream, screen: () => screenOf(text) };
}

for (const columns of [40, 80, 200]) {
  test(`no line is wider than a terminal of ${columns} columns, and each resource has one`, () => {
    const { status, screen } = terminal(columns);
    const resource = 'Container project-service-with-a-long-name-1';
    status.status({ resource, status: 'Creating', kind: 'working' });
    status.status({ resource: 'db', text: 'Pulling', status: '', kind: 'working' });
    status.status({ resource: '0123456789ab', parent: 'db', text: 'Downloading', status: '1MB/2MB', kind: 'working' });
    status.status({ resource, status: `Error ${'because '.repeat(40)}`, kind: 'error' });
    status.status({ resource: 'db', text: 'Pulled', status: '', kind: 'done' });
    status.close();
    const { rows, longest } = screen();
    assert.ok(longest < columns, `${longest}`);
    assert.equal(rows[0], '[+] Running 2/2');
    assert.match(rows[1] ?? '', /✘ .*name-1 +Error becaus/);
    assert.match(rows[2] ?? '', /✔ db +Pulled +\d\.\ds/);
    assert.deepEqual(rows.slice(3), ['']);
  });
}

test('other output stands above the status, which goes on below it', () => {
  const { status, stream, screen } = terminal(60);
  status.status({ resource: 'Network a', status: 'Creating', kind: 'working' });
  status.warn('careful');
  status.print('[web] Step 1/2\n');
  status.above(() => stream.write('web-1 exited with code 0\n'));
  status.status({ resource: 'Network a', status: 'Created', kind: 'done' });
  status.close();
  const { rows } = screen();
  assert.deepEqual(rows.slice(0, 4), ['WARN careful', '[web] Step 1/2', 'web-1 exited with code 0', '[+] Running 1/1']);
  assert.match(rows[4] ?? '', /Network a +Created/);
});

test('a line that is kept stays below all else until it is taken away', () => {
  const { status, stream, screen } = terminal(60);
  status.keep('\x1b[1mw\x1b[0m Watch');
  status.above(() => stream.write('first\n'));
  status.status({ resource: 'one', status: 'Starting', kind: 'working' });
  status.status({ resource: 'one', status: 'Started', kind: 'done' });
  status.close();
  status.above(() => stream.write('second\n'));
  const { rows } = screen();
  assert.equal(rows[0], 'first');
  assert.match(rows[2] ?? '', /✔ one +Started/);
  assert.deepEqual(rows.slice(3), ['second', 'w Watch', '']);
  status.keep(undefined);
  assert.deepEqual(screen().rows.slice(3), ['second', '']);
});

test('lines that a narrower terminal has wrapped are drawn over, too', () => {
  const { status, stream } = terminal(60);
  status.status({ resource: 'one', status: 'Starting', kind: 'working' });
  stream.columns = 30;
  let next = '';
  stream.on('data', (chunk: string) => {
    next += chunk;
  });
  status.close();
  // The heading is one row, as before; the line of 59 is two.
  assert.ok(next.startsWith('\x1b[3A'), JSON.stringify(next));
});
