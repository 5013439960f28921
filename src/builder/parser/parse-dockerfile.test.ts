import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './parse-dockerfile.ts';
import { parseJsonForm, splitFlags, splitWords } from './split-words.ts';

const texts = (source: string) => parseDockerfile(source).nodes.map((node) => node.original);

test('parseDockerfile joins continuation lines and drops comments and empty lines inside them', () => {
  assert.deepEqual(texts('FROM a\nRUN echo a \\\n # c\n\n  b \\\n'), ['FROM a', 'RUN echo a   b']);
  assert.deepEqual(texts('FROM a\nENV A=1 \\\n    B=2'), ['FROM a', 'ENV A=1     B=2']);
  assert.deepEqual(texts('FROM a\nRUN x \\ \t\n y'), ['FROM a', 'RUN x  y']);
});

test('parseDockerfile does not continue a line that ends in an escaped escape', () => {
  assert.deepEqual(texts('RUN a\\\\\nRUN b'), ['RUN a\\\\', 'RUN b']);
});

test('parseDockerfile warns of empty continuation lines', () => {
  const { warnings } = parseDockerfile('FROM a\nRUN x \\\n\n y');
  assert.deepEqual(warnings, [{ message: 'Empty continuation line found in: RUN x  y', line: 2 }]);
});

test('parseDockerfile knows the first and last line of each instruction', () => {
  const nodes = parseDockerfile('# c\n\nFROM a\nRUN x \\\n  y\nCOPY <<E /f\nb\nE\nUSER z\n').nodes;
  assert.deepEqual(
    nodes.map((node) => [node.keyword, node.line, node.endLine]),
    [
      ['FROM', 3, 3],
      ['RUN', 4, 5],
      ['COPY', 6, 8],
      ['USER', 9, 9],
    ],
  );
});

test('parseDockerfile reads directives until the first line that is none', () => {
  const tree = parseDockerfile(
    '#!/usr/bin/x\n# syntax = docker/dockerfile:1\n#Escape=`\n# other\n# check=skip=all\nRUN a `\n b\\\n',
  );
  assert.deepEqual(tree.directives, { escape: '`', syntax: 'docker/dockerfile:1' });
  assert.equal(tree.nodes[0]?.original, 'RUN a  b\\');
});

test('parseDockerfile refuses bad directives, empty files and open heredocs, naming file and line', () => {
  const cases: [string, RegExp][] = [
    ['', /the Dockerfile \(d\/F\) cannot be empty/],
    ['# only\n', /failed to parse Dockerfile: file with no instructions/],
    ['#escape=x\nFROM a', /invalid escape token 'x' does not match ` or \\ \(d\/F line 1: escape\)/],
    ['#escape=`\n#escape=`\nFROM a', /only one escape parser directive can be used \(d\/F line 2/],
    ['FROM a\nRUN <<E\nx', /unterminated heredoc \(d\/F line 2: RUN\)/],
  ];
  for (const [source, message] of cases) {
    assert.throws(() => parseDockerfile(source, 'd/F'), { kind: 'invalid', message });
  }
});

test('parseDockerfile reads here-documents: several, chomped, quoted, in ONBUILD, not elsewhere', () => {
  const [, run, onbuild, env] = parseDockerfile(
    'FROM a\nRUN cat <<A <<-"B"\none\nA\n\t\ttwo\n\tB\nONBUILD RUN <<C\nx\nC\nENV a=<<D\n',
  ).nodes;
  assert.deepEqual(run?.heredocs, [
    { name: 'A', fd: 0, expand: true, chomp: false, content: 'one\n' },
    { name: 'B', fd: 0, expand: false, chomp: true, content: 'two\n' },
  ]);
  assert.equal(onbuild?.heredocs[0]?.content, 'x\n');
  assert.deepEqual(env?.heredocs, []);
});

test('parseDockerfile strips the byte order mark and takes CRLF', () => {
  assert.deepEqual(texts('\uFEFFFROM a\r\nRUN x \\\r\n y\r\n'), ['FROM a', 'RUN x  y']);
});

test('parseDockerfile takes flags off the front only', () => {
  const [node] = parseDockerfile('copy --from=x --chown="a b" src --link /d').nodes;
  assert.equal(node?.keyword, 'COPY');
  assert.deepEqual(node?.flags, ['--from=x', '--chown=a b']);
  assert.equal(node?.rest, 'src --link /d');
});

test('splitFlags stops at a bare --', () => {
  assert.deepEqual(splitFlags('--a=1 -- --b c'), { flags: ['--a=1'], rest: '--b c' });
  assert.deepEqual(splitFlags('-x --a'), { flags: [], rest: '-x --a' });
});

test('splitWords keeps quotes and escapes and splits outside them', () => {
  assert.deepEqual(splitWords(`a="b c" d=e\\ f 'x\\' y`, '\\'), ['a="b c"', 'd=e\\ f', "'x\\'", 'y']);
  assert.deepEqual(splitWords('a\\', '\\'), ['a']);
});

test('parseJsonForm takes arrays of strings only', () => {
  assert.deepEqual(parseJsonForm('["a", "b c"]'), ['a', 'b c']);
  assert.deepEqual(parseJsonForm('[]'), []);
  assert.equal(parseJsonForm('["a", 1]'), 'mixed');
  assert.equal(parseJsonForm("['a']"), undefined);
  assert.equal(parseJsonForm('["a"] b'), undefined);
  assert.equal(parseJsonForm('[ -f x ] && y'), undefined);
});
