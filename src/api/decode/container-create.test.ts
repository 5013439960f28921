import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerCreateSchema, decodeContainerCreate } from './container-create.ts';
import { decodeJson } from './go-json.ts';

const decode = (wire: object, name?: string) =>
  decodeContainerCreate(decodeJson(JSON.stringify({ Image: 'busybox', ...wire }), containerCreateSchema), {
    name,
    platform: undefined,
  });

describe('decodeContainerCreate', () => {
  const refused: readonly (readonly [wire: object, message: string])[] = [
    [{ Env: ['=x'] }, 'invalid environment variable: =x'],
    [{ Env: [''] }, 'invalid environment variable: '],
    [{ WorkingDir: 'rel' }, "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [{ MacAddress: 'zz' }, 'invalid config for network bridge: invalid MAC address zz'],
    [{ Healthcheck: { Test: ['CMD', 'x'], Interval: 100 } }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ Healthcheck: { Test: ['CMD', 'x'], Retries: -1 } }, 'Retries in Healthcheck cannot be negative'],
    [
      { Hostname: 'x', HostConfig: { NetworkMode: 'container:abc' } },
      'conflicting options: hostname and the network mode',
    ],
    [
      { HostConfig: { NetworkMode: 'container:abc', PortBindings: { '80/tcp': [{ HostPort: '1' }] } } },
      'conflicting options: port publishing and the container type network mode',
    ],
    [
      { HostConfig: { NetworkMode: 'container:abc', ExtraHosts: ['a:1.1.1.1'] } },
      'conflicting options: custom host-to-IP mapping and the network mode',
    ],
  ];
  for (const [wire, message] of refused) {
    it(`refuses ${JSON.stringify(wire)} as dockerd does`, () => {
      assert.throws(() => decode(wire), { kind: 'invalid', message });
    });
  }

  it('refuses a bad name and takes the slash off a good one', () => {
    const message = 'Invalid container name (/bad name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed';
    assert.throws(() => decode({}, '/bad name'), { message });
    assert.equal(decode({}, '/good').name, 'good');
  });

  it('tells a command that is empty from one that is not given', () => {
    assert.equal(decode({}).process.cmd, undefined);
    assert.equal(decode({ Cmd: null }).process.cmd, undefined);
    assert.deepEqual(decode({ Cmd: [], Entrypoint: [''] }).process, {
      ...decode({}).process,
      cmd: [],
      entrypoint: [''],
    });
  });

  it('puts what is asked for the default network under its name', () => {
    const { endpoints } = decode({
      NetworkingConfig: {
        EndpointsConfig: {
          default: { MacAddress: '02:42:ac:11:00:02' },
          back: { Aliases: ['db'], IPAMConfig: { IPv4Address: '10.1.0.9' }, GwPriority: 5, Links: ['other:o'] },
          plain: null,
        },
      },
    });
    assert.deepEqual(endpoints, {
      bridge: { mac: '02:42:ac:11:00:02' },
      back: { ipv4: '10.1.0.9', aliases: ['db'], links: { o: 'other' }, gatewayPriority: 5 },
      plain: {},
    });
  });

  it('expands ranges of exposed ports', () => {
    const { exposedPorts } = decode({ ExposedPorts: { '80-82/tcp': {}, '53/udp': {}, '81': {} } });
    assert.deepEqual([...exposedPorts].sort(), ['53/udp', '80/tcp', '81/tcp', '82/tcp']);
  });
});
