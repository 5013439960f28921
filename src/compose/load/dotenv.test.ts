import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDotenv, parseRawEnv } from './dotenv.ts';

const shell: Readonly<Record<string, string>> = { SHELL_ONLY: 's', BOTH: 'shell' };

function read(text: string, parse = parseDotenv): Record<string, string> {
  const into = new Map([['EARLIER', 'e']]);
  parse(text, { file: 'f.env', variables: { lookup: (name) => shell[name] }, into });
  into.delete('EARLIER');
  return Object.fromEntries(into);
}

describe('dotenv files', () => {
  const cases: Array<[string, string, Record<string, string>]> = [
    ['comments and blank lines are skipped', '# c\n\nA=1 # tail\n', { A: '1' }],
    ['a hash inside a word stays', 'A=a#b', { A: 'a#b' }],
    ['export and blanks around = are taken', 'export A = 1', { A: '1' }],
    ['a colon separates too', 'A: 1', { A: '1' }],
    ['single quotes are literal', "A='$X \\n'", { A: '$X \\n' }],
    ['double quotes escape and expand', 'A="x\\ty $EARLIER \\$no"', { A: 'x\ty e $no' }],
    ['quoted values span lines', 'A="x\ny"\nB=1', { A: 'x\ny', B: '1' }],
    ['later values refer to earlier ones', `A=1\nB=\${A}-\${NO:-d}`, { A: '1', B: '1-d' }],
    ['the environment wins when a value refers to it', 'BOTH=file\nA=$BOTH', { BOTH: 'file', A: 'shell' }],
    ['a name alone takes the value of the environment', 'SHELL_ONLY\nNOT_SET\n', { SHELL_ONLY: 's' }],
    ['Windows line ends are line ends', 'A=1\r\nB="2"\r\n', { A: '1', B: '2' }],
    ['an empty value is empty', 'A=\nB=""', { A: '', B: '' }],
  ];
  for (const [name, text, values] of cases) test(name, () => assert.deepEqual(read(text), values));

  test('a bad name is refused with its line', () => {
    assert.throws(() => read('A=1\nB!=2'), /failed to read f\.env: line 2: unexpected character "!" in variable name/);
  });
  test('an open quote is refused with its line', () => {
    assert.throws(() => read('A="x'), /failed to read f\.env: line 1: unterminated quoted value/);
  });
});

test('raw files are taken as they are', () => {
  assert.deepEqual(read('A="q" # x\nB=$NOT\nSHELL_ONLY\n#c\n', parseRawEnv), {
    A: '"q" # x',
    B: '$NOT',
    SHELL_ONLY: 's',
  });
});
