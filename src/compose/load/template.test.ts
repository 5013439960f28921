import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { substitute, TemplateSyntaxError, variableUses } from './template.ts';

const set: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '' };
const lookup = (name: string) => set[name];

describe('substitution', () => {
  const cases: Array<[string, string]> = [
    ['$SET-x', 'value-x'],
    [`\${SET}`, 'value'],
    [`\${NO-a}\${EMPTY-b}\${EMPTY:-c}`, 'ac'],
    [`\${SET+a}\${EMPTY+b}\${EMPTY:+c}\${NO+d}`, 'ab'],
    [`\${NO:-\${ALSO_NO:-\${SET}}}`, 'value'],
    [`\${NO:-{x}}`, '{x}'],
    ['$$SET', '$SET'],
    ['$5 a $ b$', '$5 a $ b$'],
    [`\${NO:-$$x}`, '$x'],
    [`\${SET:?must}`, 'value'],
    ['plain', 'plain'],
  ];
  for (const [template, result] of cases) {
    test(`${template} gives ${result}`, () => assert.equal(substitute(template, { lookup }), result));
  }

  for (const template of [`\${SET!x}`, `\${5}`, `\${SET`, `\${}`]) {
    test(`${template} is refused`, () => assert.throws(() => substitute(template, { lookup }), TemplateSyntaxError));
  }
});

test('a required variable that is not set gives its message, itself a template', () => {
  const template = `\${NO:?set it, \${SET}}`;
  assert.throws(() => substitute(template, { lookup }), /required variable NO is missing a value: set it, value/);
});

test('a variable without value or default is reported', () => {
  const unset: string[] = [];
  const template = `$A \${B} \${C:-x}`;
  assert.equal(substitute(template, { lookup, onUnset: (name) => unset.push(name) }), '  x');
  assert.deepEqual(unset, ['A', 'B']);
});

test('the uses of a template tell defaults and requirements', () => {
  assert.deepEqual(variableUses(`$A$$B\${C:-d}\${E?x}\${F:+g}`), [
    { name: 'A', required: false, defaultValue: '', presenceValue: '' },
    { name: 'C', required: false, defaultValue: 'd', presenceValue: '' },
    { name: 'E', required: true, defaultValue: '', presenceValue: '' },
    { name: 'F', required: false, defaultValue: '', presenceValue: 'g' },
  ]);
});
