import assert from 'node:assert/strict';
import { it } from 'node:test';
import { digestOf } from '#base';
import { mediaTypes } from '#oci';
import { RegistryFault } from '../faults.ts';
import { manifestTypes, readManifest } from './manifest-document.ts';

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

const descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('x'), size: 1, annotations: { a: 'b' } };
const subject = { ...descriptor, mediaType: mediaTypes.ociManifest };
const samples = [
  { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [descriptor], subject },
  { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [subject], annotations: { k: 'v' } },
].map((document) => JSON.stringify(document));
const pieces = ['null', '{}', '[]', '""', '-1', '1e999', '"\\ud800"', '"__proto__"', '{"a":', '\u0000', '"../.."'];

it('either takes or refuses ten thousand mutated manifests, and fails on none', () => {
  const next = numbers(1);
  let taken = 0;
  for (let round = 0; round < 10_000; round += 1) {
    let text = samples[next(samples.length)] ?? '';
    for (let change = next(3); change >= 0; change -= 1) {
      const at = next(text.length);
      text = text.slice(0, at) + (next(2) ? (pieces[next(pieces.length)] ?? '') : '') + text.slice(at + next(12));
    }
    try {
      const type = next(3) === 0 ? manifestTypes[next(manifestTypes.length)] : undefined;
      const manifest = readManifest(Buffer.from(text), type);
      assert.equal(manifest.digest, digestOf(text));
      for (const reference of manifest.references) assert.match(reference.digest, /^sha256:[0-9a-f]{64}$/);
      taken += 1;
    } catch (error) {
      assert.ok(error instanceof RegistryFault, `${text}: ${error}`);
    }
  }
  assert.ok(taken > 0);
});

it('bounds how much one manifest may name', () => {
  const many = { schemaVersion: 2, config: descriptor, layers: Array(10_001).fill({ ...descriptor, annotations: {} }) };
  assert.throws(() => readManifest(Buffer.from(JSON.stringify(many)), mediaTypes.ociManifest), RegistryFault);
  const deep = Buffer.from(`{"schemaVersion":2,"x":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`);
  assert.throws(() => readManifest(deep, mediaTypes.ociManifest), RegistryFault);
});
