import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frontEndOptions } from './front-end-options.ts';

test('parameters of POST /build become options of the Dockerfile front end', () => {
  const query = {
    dockerfile: 'Dockerfile',
    remote: 'client-session',
    t: ['app:1', 'r.example/me/app:latest'],
    target: 'final',
    nocache: true,
    pull: true,
    networkmode: 'host',
    extrahosts: 'a:1.2.3.4,b:::1',
    shmsize: 1024,
    buildargs: '{"A":"1","UNSET":null}',
    labels: '{"x":"y"}',
    ulimits: '[{"Name":"nofile","Soft":1,"Hard":2}]',
    cachefrom: '["r.example/cache"]',
    memory: 5,
    rm: true,
  };
  assert.deepEqual(frontEndOptions(query, { lib: 'local:named:lib' }), {
    options: {
      filename: 'Dockerfile',
      target: 'final',
      'image-resolve-mode': 'pull',
      'add-hosts': 'a=1.2.3.4,b=::1',
      'force-network-mode': 'host',
      'shm-size': '1024',
      ulimit: 'nofile=1:2',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r.example/cache"}}]',
      'no-cache': '',
      'build-arg:A': '1',
      'label:x': 'y',
      'context:lib': 'local:named:lib',
    },
    names: ['docker.io/library/app:1', 'r.example/me/app:latest'],
    entitlements: ['network.host'],
  });
});

test('what is not given is left to the engine; an address is the context', () => {
  assert.deepEqual(frontEndOptions({ dockerfile: 'D', remote: 'https://example.org/r.git', t: [] }, {}), {
    options: { filename: 'D', context: 'https://example.org/r.git' },
    names: [],
    entitlements: [],
  });
});
