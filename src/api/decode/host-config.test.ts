import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeHostConfig } from '../encode/host-config.ts';
import { decodeJson } from './go-json.ts';
import { decodeHostConfig, hostConfigSchema } from './host-config.ts';

const decode = (wire: unknown) => decodeHostConfig(decodeJson(JSON.stringify(wire), hostConfigSchema));

/** Requests and what dockerd 28.5.2 answers to them. */
const refused: readonly (readonly [wire: object, message: string])[] = [
  [{ Binds: ['a:b:c:d'] }, "invalid volume specification: 'a:b:c:d'"],
  [
    { Binds: ['/a:b'] },
    "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute",
  ],
  [
    { Binds: ['/a:/'] },
    "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
  ],
  [{ Binds: ['/a:/b:xx'] }, 'invalid mode: xx'],
  [{ Binds: ['/a:/b:ro,rw'] }, 'invalid mode: ro,rw'],
  [
    { Binds: ['./a:/b'] },
    'create ./a: "./a" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  [{ Binds: ['/a:/b', '/c:/b'] }, 'Duplicate mount point: /b'],
  [
    { Mounts: [{ Type: 'bind', Target: '/x' }] },
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    { Mounts: [{ Type: 'volume', Source: 'x' }] },
    'invalid mount config for type "volume": field Target must not be empty',
  ],
  [{ Mounts: [{ Type: 'foo', Source: 'x', Target: '/x' }] }, 'invalid mount config for type "foo": mount type unknown'],
  [
    { Mounts: [{ Type: 'tmpfs', Source: 'x', Target: '/x' }] },
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [
    { Mounts: [{ Type: 'bind', Source: 'rel', Target: '/x' }] },
    'invalid mount config for type "bind": invalid mount path: \'rel\' mount path must be absolute',
  ],
  [
    { Mounts: [{ Type: 'bind', Source: '/tmp', Target: '/x', BindOptions: { Propagation: 'zz' } }] },
    'invalid mount config for type "bind": invalid propagation mode: zz',
  ],
  [
    { Mounts: [{ Type: 'bind', Source: '/a', Target: '/x', BindOptions: { IDMapping: { Source: 'zz' } } }] },
    'invalid mount config for type "bind": invalid id mapping "zz"',
  ],
  [
    { Mounts: [{ Type: 'bind', Source: '/a', Target: '/x', BindOptions: { IDMapping: { Source: 'userns' } } }] },
    'invalid mount config for type "bind": id mapping "userns" needs a user namespace of the container\'s own: use "match-user"',
  ],
  [
    { RestartPolicy: { Name: 'foo' } },
    "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
  [{ PortBindings: { '80x/tcp': [{ HostPort: '1' }] } }, 'invalid port specification: "80x"'],
  [{ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } }, 'invalid port specification: "70000"'],
  [{ PortBindings: { '80/tcp': [{ HostIp: 'x', HostPort: '1' }] } }, 'invalid IP address: x'],
  [{ ExtraHosts: ['a'] }, 'bad format for add-host: "a"'],
  [{ ExtraHosts: ['a:zz'] }, 'invalid IP address in add-host: "zz"'],
  [{ Tmpfs: { rel: '' } }, "invalid mount path: 'rel' mount path must be absolute"],
  [{ Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
  [{ Annotations: { '': 'x' } }, 'invalid Annotations: the empty string is not permitted as an annotation key'],
];

describe('decodeHostConfig', () => {
  for (const [wire, message] of refused) {
    it(`refuses ${JSON.stringify(wire)} as dockerd does`, () => {
      assert.throws(() => decode(wire), { kind: 'invalid', message });
    });
  }

  it('matches keys whatever their case, ignores unknown ones and takes null for absent', () => {
    const host = decode({ MEMORY: 67108864, autoremove: true, Dns: null, Nonsense: [1], RestartPolicy: null });
    assert.equal(host.resources.memory, 67108864);
    assert.equal(host.autoRemove, true);
    assert.deepEqual(host.dns, []);
    assert.equal(host.restart.name, 'no');
  });

  it('reads binds of one, two and three parts', () => {
    const [anonymous, named, bind] = decode({ Binds: ['/a', 'vol:/b:nocopy', '/src/:/c:ro,rslave'] }).mounts;
    assert.deepEqual(anonymous, { type: 'volume', source: '', target: '/a', createSource: true, readonly: false });
    assert.deepEqual(named, {
      type: 'volume',
      source: 'vol',
      target: '/b',
      createSource: true,
      mode: 'nocopy',
      readonly: false,
      noCopy: true,
    });
    assert.deepEqual(bind, {
      type: 'bind',
      source: '/src',
      target: '/c',
      createSource: true,
      mode: 'ro,rslave',
      readonly: true,
      propagation: 'rslave',
    });
  });

  it('reads published ports, ranges included', () => {
    const { ports } = decode({
      PortBindings: {
        '80': [{ HostPort: '8000-8010' }],
        '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
        '90-91/tcp': [{ HostPort: '9000-9001' }],
        '7/tcp': null,
      },
    });
    assert.deepEqual(ports, [
      { protocol: 'tcp', containerPort: 80, hostPort: { from: 8000, to: 8010 } },
      { protocol: 'udp', containerPort: 53, hostAddress: '127.0.0.1' },
      { protocol: 'tcp', containerPort: 90, hostPort: 9000 },
      { protocol: 'tcp', containerPort: 91, hostPort: 9001 },
    ]);
  });

  it('comes back from inspect as it was sent', () => {
    // What docker create sends for a container with most options, as dockerd shows it.
    const sent = {
      Binds: ['/tmp:/host:ro', 'apivol:/data'],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
      NetworkMode: 'bridge',
      PortBindings: {
        '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
        '80/tcp': [{ HostIp: '', HostPort: '8080' }],
      },
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
      CapAdd: ['CAP_NET_ADMIN'],
      CapDrop: null,
      Dns: ['1.1.1.1'],
      ExtraHosts: ['a:1.2.3.4'],
      SecurityOpt: ['no-new-privileges'],
      Tmpfs: { '/run': 'size=1m' },
      Sysctls: { 'net.ipv4.ip_forward': '1' },
      Memory: 67108864,
      MemorySwap: 134217728,
      NanoCpus: 500000000,
      PidsLimit: 50,
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'rwm' }],
      Ulimits: [{ Name: 'nofile', Hard: 200, Soft: 100 }],
      Mounts: [
        { Type: 'tmpfs', Target: '/tm', TmpfsOptions: { SizeBytes: 1048576 } },
        { Type: 'bind', Source: '/var', Target: '/v2', ReadOnly: true, BindOptions: { Propagation: 'rslave' } },
        {
          Type: 'bind',
          Source: '/var',
          Target: '/v3',
          BindOptions: { IDMapping: { Source: 'match-user', User: 'www-data' } },
        },
      ],
      Init: true,
      ReadonlyRootfs: false,
      VolumesFrom: null,
      GroupAdd: null,
    };
    const shown: Record<string, unknown> = { ...encodeHostConfig(decode(sent)) };
    for (const [key, value] of Object.entries(sent)) assert.deepEqual(shown[key], value, key);
  });

  it('shows every key that dockerd shows for a container without options', () => {
    const keys =
      'Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ' +
      'ConsoleSize CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links ' +
      'OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt UTSMode UsernsMode ShmSize Runtime ' +
      'Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps ' +
      'BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod ' +
      'CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap ' +
      'MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth ' +
      'MaskedPaths ReadonlyPaths';
    assert.deepEqual(Object.keys(encodeHostConfig(decode({}))).sort(), keys.split(' ').sort());
  });
});
