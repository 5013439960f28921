import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { deviceEdits } from './device-requests.ts';

const request = (changes: object) => ({
  driver: '',
  count: 0,
  deviceIds: [],
  capabilities: [],
  options: {},
  ...changes,
});

function directories(files: Readonly<Record<string, object | string>>) {
  const root = mkdtempSync(join(tmpdir(), 'engine-cdi-'));
  const places = ['etc', 'run'].map((name) => join(root, name));
  for (const place of places) mkdirSync(place);
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return { places: [...places, join(root, 'absent')], [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

const spec = (kind: string, names: readonly string[], value: string) => ({
  cdiVersion: '0.6.0',
  kind,
  containerEdits: { env: [`COMMON=${value}`] },
  devices: names.map((name) => ({ name, containerEdits: { env: [`DEVICE=${name}`] } })),
});

describe('deviceEdits', () => {
  test('finds devices in JSON and YAML, common edits first and once', async () => {
    const yaml =
      'cdiVersion: "0.6.0"\nkind: acme.org/net\ndevices:\n- name: n0\n  containerEdits:\n    env: ["NET=1"]\n';
    using cdi = directories({ 'etc/acme.json': spec('acme.org/gpu', ['a', 'b'], '1'), 'run/net.yaml': yaml });
    const ids = ['acme.org/gpu=a', 'acme.org/gpu=b', 'acme.org/net=n0'];
    const edits = await deviceEdits([request({ driver: 'cdi', deviceIds: ids })], cdi.places);
    assert.deepEqual(
      edits.flatMap(({ env = [] }) => env),
      ['COMMON=1', 'DEVICE=a', 'DEVICE=b', 'NET=1'],
    );
  });

  test('lets the later directory win, and takes neither of two files in the same one', async () => {
    using cdi = directories({
      'etc/one.json': spec('acme.org/gpu', ['a', 'c'], 'etc'),
      'run/one.json': spec('acme.org/gpu', ['a'], 'run'),
      'etc/two.json': spec('acme.org/gpu', ['c'], 'other'),
    });
    const [common] = await deviceEdits([request({ driver: 'cdi', deviceIds: ['acme.org/gpu=a'] })], cdi.places);
    assert.deepEqual(common?.env, ['COMMON=run']);
    await assert.rejects(deviceEdits([request({ driver: 'cdi', deviceIds: ['acme.org/gpu=c'] })], cdi.places), {
      message: /unresolvable CDI devices acme.org\/gpu=c \(acme.org\/gpu=c is in more than one file/,
    });
  });

  test('stands in for --gpus where a vendor has files', async () => {
    using cdi = directories({ 'etc/nvidia.json': spec('nvidia.com/gpu', ['0', '1', 'all'], '1') });
    const devices = async (changes: object) => {
      const found = await deviceEdits([request({ capabilities: [['gpu']], ...changes })], cdi.places);
      return found.flatMap(({ env = [] }) => env).filter((entry) => entry.startsWith('DEVICE'));
    };
    assert.deepEqual(await devices({ count: -1 }), ['DEVICE=all']);
    assert.deepEqual(await devices({ count: 2, driver: 'nvidia' }), ['DEVICE=0', 'DEVICE=1']);
    assert.deepEqual(await devices({ deviceIds: ['1'] }), ['DEVICE=1']);
  });

  /** What dockerd 28.5.2 says on a host without such devices. */
  for (const [changes, message] of [
    [{ count: -1, capabilities: [['gpu']] }, 'could not select device driver "" with capabilities: [[gpu]]'],
    [
      { driver: 'nvidia', count: -1, capabilities: [['gpu', 'x']] },
      'could not select device driver "nvidia" with capabilities: [[gpu x]]',
    ],
    [
      { driver: 'cdi', deviceIds: ['vendor.com/class=x'] },
      'CDI device injection failed: unresolvable CDI devices vendor.com/class=x',
    ],
    [{ driver: 'cdi', count: 1, deviceIds: ['vendor.com/class=x'] }, 'unexpected count in CDI device request'],
  ] as const) {
    test(`refuses with "${message}"`, async () => {
      using cdi = directories({});
      await assert.rejects(deviceEdits([request(changes)], cdi.places), { kind: 'invalid', message });
    });
  }

  test('names a file that is none where a device is missed', async () => {
    using cdi = directories({ 'etc/bad.json': '{"kind": 5}', 'etc/worse.yaml': ':\n\t-' });
    await assert.rejects(deviceEdits([request({ driver: 'cdi', deviceIds: ['a.b/c=d'] })], cdi.places), {
      message: /unresolvable CDI devices a\.b\/c=d \(CDI spec .*bad\.json: .*; CDI spec .*worse\.yaml/,
    });
  });
});
