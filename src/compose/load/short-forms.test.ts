import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closestName } from './closest-name.ts';
import { parsePortSpec } from './port-spec.ts';
import { normaliseProjectName, projectName } from './project-name.ts';
import { shellWords } from './shell-words.ts';
import { parseVolumeSpec } from './volume-spec.ts';

describe('ports in short form', () => {
  test('a range of both sides pairs up', () => {
    assert.deepEqual(parsePortSpec('127.0.0.1:8000-8001:80-81/UDP'), [
      { target: 80, protocol: 'udp', hostIp: '127.0.0.1', published: '8000' },
      { target: 81, protocol: 'udp', hostIp: '127.0.0.1', published: '8001' },
    ]);
  });
  test('a range for one container port stays a range', () => {
    assert.deepEqual(parsePortSpec('9000-9002:80'), [{ target: 80, protocol: 'tcp', published: '9000-9002' }]);
  });
  test('an address in brackets is IPv6', () => {
    assert.deepEqual(parsePortSpec('[::1]:82:82')[0], { target: 82, protocol: 'tcp', hostIp: '::1', published: '82' });
  });
  for (const [spec, message] of [
    ['x:y', /Invalid containerPort: y/],
    ['x:80', /Invalid hostPort: x/],
    ['80-82:90-91', /Invalid ranges specified for container and host Ports: 90-91 and 80-82/],
    ['1.2.3:80:80', /Invalid ip address: 1\.2\.3/],
    ['80/xyz', /Invalid proto: xyz/],
    ['99999', /Invalid containerPort: 99999/],
  ] as const) {
    test(`${spec} is refused`, () => assert.throws(() => parsePortSpec(spec), message));
  }
});

describe('volumes in short form', () => {
  test('a path is a bind mount and its options are read', () => {
    assert.deepEqual(parseVolumeSpec('./a:/b:ro,z,rshared'), {
      type: 'bind',
      source: './a',
      target: '/b',
      readOnly: true,
      nocopy: false,
      selinux: 'z',
      propagation: 'rshared',
    });
  });
  test('a name is a volume, a target alone an anonymous one', () => {
    assert.equal(parseVolumeSpec('data:/b').source, 'data');
    assert.equal(parseVolumeSpec('/b').source, undefined);
  });
  test('a colon inside a variable does not separate', () => {
    assert.equal(parseVolumeSpec(`\${A:-./x}:/b`).source, `\${A:-./x}`);
  });
  test('an empty section is refused', () => assert.throws(() => parseVolumeSpec('ab::/b'), /empty section/));
});

describe('commands as text', () => {
  test('quotes and backslashes keep words together', () => {
    assert.deepEqual(shellWords(`sh -c "a \\"b\\" \\x" 'c d' e\\ f ''`), ['sh', '-c', 'a "b" \\x', 'c d', 'e f', '']);
  });
  test('an open quote is refused', () => assert.throws(() => shellWords('a "b'), /invalid command line string/));
});

describe('project names', () => {
  test('a derived name loses what a name cannot have', () => {
    assert.equal(normaliseProjectName('_My.Proj_X'), 'myproj_x');
  });
  test('an explicit name must be right', () => {
    assert.throws(() => projectName({ flag: 'Bad', directory: '/x' }), /invalid project name "Bad"/);
  });
  test('the flag wins over the variable, the file and the directory', () => {
    const origins = { flag: 'a', variable: 'b', file: 'c', directory: '/d' };
    assert.equal(projectName(origins), 'a');
    assert.equal(projectName({ ...origins, flag: undefined }), 'b');
    assert.equal(projectName({ directory: '/d', file: 'C!' }), 'c');
    assert.equal(projectName({ directory: '/d' }), 'd');
  });
});

test('the nearest name is found only when it is near', () => {
  const names = ['command', 'container_name', 'depends_on'];
  assert.equal(closestName('comand', names), 'command');
  assert.equal(closestName('container-name', names), 'container_name');
  assert.equal(closestName('dependson', names), 'depends_on');
  assert.equal(closestName('zzz', names), undefined);
});
