import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ContainerRequest } from '../container.ts';
import { mergeImage } from './merge-image.ts';

const request = (process: Partial<ContainerRequest['process']>, rest: Partial<ContainerRequest> = {}) =>
  ({
    volumes: [],
    exposedPorts: [],
    labels: {},
    ...rest,
    process: { entrypoint: undefined, cmd: undefined, env: [], workingDir: '', user: '', stopSignal: '', ...process },
  }) as unknown as ContainerRequest;
const image = {
  Entrypoint: ['/entry'],
  Cmd: ['image', 'cmd'],
  Env: ['A=image', 'B=image'],
  Labels: { a: '1', b: '2' },
};

describe('mergeImage', () => {
  test('takes entrypoint and command from the image when none are given', () => {
    const { process } = mergeImage(request({}), image);
    assert.deepEqual([process.entrypoint, process.cmd], [['/entry'], ['image', 'cmd']]);
  });
  test('an own command keeps the entrypoint, an own entrypoint drops the command of the image', () => {
    assert.deepEqual(mergeImage(request({ cmd: ['own'] }), image).process.entrypoint, ['/entry']);
    const { process } = mergeImage(request({ entrypoint: ['own'] }), image);
    assert.deepEqual([process.entrypoint, process.cmd], [['own'], null]);
  });
  test('an empty entrypoint takes away that of the image', () => {
    const { process } = mergeImage(request({ entrypoint: [''], cmd: ['sh'] }), image);
    assert.deepEqual([process.entrypoint, process.cmd], [null, ['sh']]);
  });
  test('nothing to run is refused', () => {
    assert.throws(() => mergeImage(request({}), {}), { message: 'no command specified' });
  });
  test('own variables and labels win, those of the image fill in', () => {
    const merged = mergeImage(request({ env: ['A=own'] }, { labels: { a: 'own' } }), image);
    assert.deepEqual(merged.process.env, ['A=own', 'B=image']);
    assert.deepEqual(merged.labels, { a: 'own', b: '2' });
  });
  test('a healthcheck with only an interval keeps the test of the image', () => {
    const check = { Test: ['CMD', 'true'], Interval: 1e9, Retries: 2 };
    const merged = mergeImage(request({}, { healthcheck: { Interval: 5e9 } }), { ...image, Healthcheck: check });
    assert.deepEqual(merged.healthcheck, { Test: ['CMD', 'true'], Interval: 5e9, Retries: 2 });
  });
});
