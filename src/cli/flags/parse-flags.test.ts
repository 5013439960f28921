import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flagHelp } from './flag-help.ts';
import { flagTable } from './flag-spec.ts';
import { parseFlags } from './parse-flags.ts';
import { splitCsv } from './read-value.ts';

const specs = flagTable(`
  -i, --interactive       Keep open
  -t, --tty               Terminal
  -p, --publish list      Ports
  -n, --last int          Count (default -1)
      --size uint16       Size
      --name string       Name
      --names strings     Names
      --wait duration     Time
  -m, --memory bytes      Limit
      --opt stringToString   Options
      --net string        !=name
      --secret-switch     !
`);
const parse = (line: string, interspersed = true) =>
  parseFlags(line.split(' ').filter(Boolean), { specs, interspersed });

test('switches join, and the last letter may take a value', () => {
  const { values, positional } = parse('-itp8080:80 -p 1 image');
  assert.ok(values.bool('interactive') && values.bool('tty'));
  assert.deepEqual(values.list('publish'), ['8080:80', '1']);
  assert.deepEqual(positional, ['image']);
});
test('a switch takes a value only after an equals sign', () => {
  assert.equal(parse('--tty=false').values.bool('tty'), false);
  assert.equal(parse('-t=0 x').values.bool('tty'), false);
  assert.deepEqual(parse('--tty false').positional, ['false']);
  assert.ok(parse('--tty=false').values.changed('tty'));
});
test('flags end at the first argument where the rest belongs to a container', () => {
  assert.deepEqual(parse('-i image --tty -x', false).positional, ['image', '--tty', '-x']);
  assert.deepEqual(parse('a --tty b').positional, ['a', 'b']);
  assert.deepEqual(parse('-i -- --tty', false).positional, ['--tty']);
});
test('values are read by their kind', () => {
  const { values } = parse('--last -1 --names a,b --names c --wait 1m30s -m 1.5k --opt a=b --size=0x10');
  assert.equal(values.number('last'), -1);
  assert.deepEqual(values.list('names'), ['a', 'b', 'c']);
  assert.equal(values.number('wait'), 90e9);
  assert.equal(values.number('memory'), 1536);
  assert.deepEqual(values.list('opt'), ['a=b']);
  assert.equal(values.number('size'), 16);
});
test('another spelling sets the flag it stands for', () => {
  assert.equal(parse('--net x').values.string('name'), 'x');
});
test('help is asked by --help and by an -h that is nobody else’s', () => {
  assert.ok(parse('--help --nonsense').help);
  assert.ok(parse('-h').help);
});
const errors: readonly (readonly [string, string])[] = [
  ['--foo', 'unknown flag: --foo'],
  ['--nmae x', "unknown flag: --nmae\n\nDid you mean '--name'?"],
  ['-iz', "unknown shorthand flag: 'z' in -iz"],
  ['--name', 'flag needs an argument: --name'],
  ['-p', "flag needs an argument: 'p' in -p"],
  ['--tty=maybe', 'invalid argument "maybe" for "-t, --tty" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ['--last x', 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  [
    '--size 70000',
    'invalid argument "70000" for "--size" flag: strconv.ParseUint: parsing "70000": value out of range',
  ],
  ['--wait 5', 'invalid argument "5" for "--wait" flag: time: invalid duration "5"'],
  ['--opt a', 'invalid argument "a" for "--opt" flag: a must be formatted as key=value'],
];
for (const [line, message] of errors) {
  test(`${line} is refused as Docker refuses it`, () => assert.throws(() => parse(line), { message }));
}
test('reading a flag that the command does not have is a bug', () => {
  assert.throws(() => parse('').values.string('nope'), /no flag --nope/);
});
test('comma-separated values may be quoted', () => {
  assert.deepEqual(splitCsv('a,"b,c",d'), ['a', 'b,c', 'd']);
  assert.deepEqual(splitCsv('"a ""b"""'), ['a "b"']);
  assert.throws(() => splitCsv('a"b'), /bare "/);
});
test('help lists what is not hidden, by name, wrapped under its text', () => {
  const text = flagHelp(
    flagTable(
      '  -b, --beta string   Second words that go on and on until the line is full and then some\n      --alpha         First\n      --gone   !',
    ),
    50,
  );
  assert.equal(
    text,
    '      --alpha         First\n  -b, --beta string   Second words that go\n                      on and on until the\n                      line is full and then some',
  );
});
