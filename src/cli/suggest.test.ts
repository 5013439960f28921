import assert from 'node:assert/strict';
import { it } from 'node:test';
import { suggest } from './suggest.ts';

it('suggest finds the word that two swapped, one missing or one wrong letter hide', () => {
  const known = ['prune', 'ps', 'rm', 'run', 'stop', 'up'];
  for (const [word, meant] of [
    ['rnu', 'run'],
    ['prnue', 'prune'],
    ['stp', 'stop'],
    ['stip', 'stop'],
    ['pru', 'prune'],
  ] as const) {
    assert.equal(suggest(word, known), meant, word);
  }
});

it('suggest prefers a word with the same first letter among equally near ones', () => {
  assert.equal(suggest('ups', ['ps', 'up']), 'up');
});

it('suggest says nothing where no word is near, or none was given', () => {
  assert.equal(suggest('frobnicate', ['run', 'ps']), undefined);
  assert.equal(suggest('', ['run', 'ps']), undefined);
});
