import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJson } from './go-json.ts';
import { networkHash, serviceHash, volumeHash } from './hash.ts';
import type { Service } from './service.ts';

// The values are labels that docker compose 2.40.3 gave to containers, networks and volumes of such a project.
const web: Service = {
  name: 'db',
  command: null,
  entrypoint: null,
  image: 'busybox',
  networks: { default: null },
};

test('the hash of a network is that of docker compose', () => {
  const network = { name: 'cload-ef_default', ipam: {} };
  assert.equal(networkHash(network), 'a61b2dfbc453c66b7eac89b4b910a8b425ebe87408cba817078a3c08e01fb13d');
});

test('the hash of a volume is that of docker compose', () => {
  const volume = { name: 'cload-lab_vol', labels: { l: 'm' } };
  assert.equal(volumeHash(volume), '69c3fd5fb0a076941d1d3a4105f1b13013e08ad582f2467374a9bd79f30c85b9');
});

test('what does not change a container does not change the hash of its service', () => {
  const changed: Service = {
    ...web,
    build: { context: '/x' },
    depends_on: { a: { condition: 'service_started', required: true } },
    profiles: ['p'],
    pull_policy: 'always',
    scale: 3,
    'x-note': 1,
  };
  assert.equal(serviceHash(changed), serviceHash(web));
  const deploy = { resources: {}, placement: {} };
  assert.equal(serviceHash({ ...web, deploy: { ...deploy, replicas: 2 } }), serviceHash({ ...web, deploy }));
  assert.notEqual(serviceHash({ ...web, image: 'other' }), serviceHash(web));
});

test('the order in which keys were added does not change the hash', () => {
  const { image, ...rest } = web;
  assert.equal(serviceHash({ image: image ?? '', ...rest }), serviceHash(web));
});

test('JSON is written as Go writes it', () => {
  const record = Object.fromEntries([
    ['9', '<&>'],
    ['10', 'a\u2028'],
    ['A', 1.5],
  ]);
  assert.equal(goJson(record), '{"10":"a\\u2028","9":"\\u003c\\u0026\\u003e","A":1.5}');
  assert.equal(goJson({ a: [1, {}], b: [] }, 2), '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}');
});
