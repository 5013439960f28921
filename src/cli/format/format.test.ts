import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeName } from '../template/index.ts';
import { binarySize, ellipsis, humanDuration, humanSize, shortId } from './human.ts';
import { indentJson } from './json-indent.ts';
import { renderListing } from './listing.ts';
import { portsText } from './ports.ts';
import { readTime } from './read-time.ts';
import { alignTabs } from './tabs.ts';

test('sizes have few digits and decimal units', () => {
  assert.deepEqual(
    [0, 999, 1000, 1984000, 164123456].map((size) => humanSize(size, 3)),
    ['0B', '999B', '1kB', '1.98MB', '164MB'],
  );
  assert.equal(humanSize(1984123), '1.984MB');
  assert.equal(binarySize(25279004672), '23.54GiB');
});
test('durations are told in words', () => {
  const second = 1000;
  const pairs: [number, string][] = [
    [0, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [3599, '59 minutes'],
    [3600, 'About an hour'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [14 * 86400, '2 weeks'],
    [60 * 86400, '2 months'],
    [730 * 86400, '2 years'],
  ];
  for (const [seconds, words] of pairs) assert.equal(humanDuration(seconds * second), words);
});
test('columns are as wide as their widest cell and end where lines have no cell', () => {
  assert.equal(alignTabs('A\tBB\tC\nlonger than\tb\tc'), 'A             BB        C\nlonger than   b         c');
  assert.equal(alignTabs('A\tB\nx'), 'A         B\nx');
});
test('long texts end in an ellipsis, ids are short', () => {
  assert.equal(ellipsis('"/bin/sh -c something"', 10), '"/bin/sh …');
  assert.equal(shortId('sha256:0123456789abcdef'), '0123456789ab');
});
test('neighbouring ports join to ranges, mapped ones stand alone', () => {
  assert.equal(
    portsText([
      { PrivatePort: 80, PublicPort: 8080, IP: '0.0.0.0', Type: 'tcp' },
      { PrivatePort: 80, PublicPort: 8080, IP: '::', Type: 'tcp' },
    ]),
    '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp',
  );
  assert.equal(
    portsText([
      { PrivatePort: 1, Type: 'udp' },
      { PrivatePort: 2, Type: 'udp' },
      { PrivatePort: 9, Type: 'tcp' },
    ]),
    '1-2/udp, 9/tcp',
  );
});
test('JSON is laid out without touching its numbers', () => {
  assert.equal(
    indentJson('{"a":9223372036854775807,"b":[],"c":{"d":"x,\\"y"}}'),
    '{\n    "a": 9223372036854775807,\n    "b": [],\n    "c": {\n        "d": "x,\\"y"\n    }\n}',
  );
});
test('times may be relative, seconds or RFC 3339', () => {
  assert.equal(readTime('10m', 1_000_000_000_000), '999999400.000000000');
  assert.equal(readTime('1700000000'), '1700000000');
  assert.equal(readTime('2023-11-14T22:13:20.5Z'), '1700000000.500000000');
  assert.throws(() => readTime('soon'), /parsing time "soon"/);
});

const rows = [{ [typeName]: '*formatter.X', ID: 'a', Name: '<none>', Label: (name: string) => `l-${name}` }];
const listing = { table: '{{.ID}}\t{{.Name}}', quietTable: '{{.ID}}', headers: { ID: 'X ID', Name: 'NAME' } };
test('a list is a table, JSON, or what a template says', () => {
  assert.equal(renderListing(rows, '', listing), 'X ID      NAME\na         <none>\n');
  assert.equal(renderListing(rows, 'table {{.Name}}\\t{{.Label "x.y"}}', listing), 'NAME      y\n<none>    l-x.y\n');
  assert.equal(renderListing(rows, 'json', listing), '{"ID":"a","Name":"\\u003cnone\\u003e"}\n');
  assert.equal(renderListing(rows, '{{.ID}}!', listing), 'a!\n');
  assert.equal(renderListing(rows, '', { ...listing, quiet: true }), 'a\n');
  assert.equal(renderListing([], '', listing), 'X ID      NAME\n');
});
test('a field that rows do not have is an error that names their type', () => {
  assert.throws(
    () => renderListing(rows, '{{.Foo}}', listing),
    /failed to execute template: template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type \*formatter.X/,
  );
});
test('a wrong field is an error in an empty list too, where the list knows how its rows look', () => {
  const listing = { table: '{{.ID}}', headers: { ID: 'ID' }, sample: { [typeName]: '*formatter.Row', ID: '' } };
  assert.equal(renderListing([], '{{.ID}}', listing), '');
  assert.throws(() => renderListing([], '{{.Nope}}', listing), /can't evaluate field Nope in type \*formatter\.Row/);
});
