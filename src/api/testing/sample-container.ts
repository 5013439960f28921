import type { Container } from '#engine';
import { defaultHost, defaultRequest } from '#testkit';

/** A running container of `busybox:latest` (`sleep 60`) on the default bridge with one published port. */
export function sampleContainer(changes: Partial<Container> = {}): Container {
  const id = '75d876ad7b5db45ea5817b6b13b3fcdffa638fd8227fa18a64debf74ea0ff9ef';
  return {
    id,
    name: 'web',
    createdAt: Date.UTC(2026, 10, 21, 2, 14, 7, 790),
    image: 'busybox:latest',
    imageId: 'sha256:819c7ba11ad40637bad80ca665c0aa42cbefc096495fda58556be0d266281bb1',
    hostname: '75d876ad7b5d',
    domainname: '',
    process: {
      ...defaultRequest([]).process,
      entrypoint: null,
      cmd: ['sleep', '60'],
      env: ['PATH=/bin'],
    },
    labels: {},
    exposedPorts: ['80/tcp', '81/tcp'],
    volumes: [],
    networkDisabled: false,
    host: sampleHost(),
    mountPoints: [],
    state: {
      status: 'running',
      pid: 4242,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAt: Date.UTC(2026, 10, 21, 2, 14, 8),
      restartCount: 0,
      stoppedByUser: false,
    },
    networks: { bridge: { request: {}, networkId: 'a'.repeat(64), active: sampleEndpoint() } },
    ports: [
      { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort: 18080 },
      { protocol: 'tcp', containerPort: 80, hostAddress: '::', hostPort: 18080 },
    ],
    sandbox: { id: 'b'.repeat(64), path: '/run/netns/b' },
    paths: { log: '/c/log', hosts: '/c/hosts', hostname: '/c/hostname', resolvConf: '/c/resolv.conf' },
    execIds: [],
    ...changes,
  };
}

/** The endpoint of {@link sampleContainer}. */
function sampleEndpoint() {
  return {
    id: 'c'.repeat(64),
    networkId: 'a'.repeat(64),
    networkName: 'bridge',
    mac: 'a6:8d:1e:ff:5f:98',
    ipv4: { address: '172.31.0.2', prefix: 16, gateway: '172.31.0.1' },
    aliases: [],
    dnsNames: [],
    interfaceName: 'eth0',
  };
}

/** Host settings where nothing was asked for. */
export function sampleHost(changes: Partial<Container['host']> = {}): Container['host'] {
  return {
    ...defaultHost,
    networkMode: 'bridge',
    ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 18080 }],
    ipcMode: 'private',
    cgroupnsMode: 'host',
    shmSize: 67108864,
    runtime: 'crun',
    ...changes,
  };
}
