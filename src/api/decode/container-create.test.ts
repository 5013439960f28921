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
    [{ MacAddress: 'zz' }, 'invalid config for network bridge: invalid MAC address zz'],
  ];
  for (const [wire, message] of refused) {
    it(`refuses ${JSON.stringify(wire)} as dockerd does`, () => {
      assert.throws(() => decode(wire), { kind: 'invalid', message });
    });
  }

  it('takes the slash off a name', () => {
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
