import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleContainer, sampleHost } from '../testing/sample-container.ts';
import { encodeContainerInspect } from './container-inspect.ts';
import { encodeContainerSummary, statusText } from './container-summary.ts';

const now = Date.UTC(2026, 10, 21, 3, 14, 8);

describe('encodeContainerInspect', () => {
  it('has the keys of dockerd', () => {
    const inspect = encodeContainerInspect(sampleContainer());
    assert.deepEqual(
      Object.keys(inspect).join(' '),
      'Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform ' +
        'MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings',
    );
    assert.deepEqual(
      Object.keys(inspect.Config).join(' '),
      'Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Image ' +
        'Volumes WorkingDir Entrypoint OnBuild Labels',
    );
    assert.deepEqual(
      Object.keys(inspect.NetworkSettings).join(' '),
      'Bridge SandboxID SandboxKey Ports HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen SecondaryIPAddresses ' +
        'SecondaryIPv6Addresses EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway ' +
        'MacAddress Networks',
    );
    assert.deepEqual(
      Object.keys(inspect.NetworkSettings.Networks.bridge ?? {}).join(' '),
      'IPAMConfig Links Aliases MacAddress DriverOpts GwPriority NetworkID EndpointID Gateway IPAddress IPPrefixLen ' +
        'IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen DNSNames',
    );
  });

  it('shows times as Go does, the zero time for never', () => {
    const { Created, State } = encodeContainerInspect(sampleContainer());
    assert.equal(Created, '2026-11-21T02:14:07.79Z');
    assert.equal(State.StartedAt, '2026-11-21T02:14:08Z');
    assert.equal(State.FinishedAt, '0001-01-01T00:00:00Z');
  });

  it('splits the command into path and arguments', () => {
    const { process } = sampleContainer();
    const { Path, Args } = encodeContainerInspect(
      sampleContainer({ process: { ...process, entrypoint: ['/bin/sh'], cmd: ['-c', 'x'] } }),
    );
    assert.deepEqual([Path, Args], ['/bin/sh', ['-c', 'x']]);
  });

  it('shows exposed ports without a binding as null, and none while it does not run', () => {
    assert.deepEqual(encodeContainerInspect(sampleContainer()).NetworkSettings.Ports, {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '18080' },
        { HostIp: '::', HostPort: '18080' },
      ],
      '81/tcp': null,
    });
    const { sandbox: _, ...stopped } = sampleContainer();
    assert.deepEqual(encodeContainerInspect(stopped).NetworkSettings.Ports, {});
  });

  it('masks nothing for a privileged container', () => {
    const { HostConfig } = encodeContainerInspect(sampleContainer({ host: sampleHost({ privileged: true }) }));
    assert.equal(HostConfig.MaskedPaths, null);
    assert.equal(HostConfig.ReadonlyPaths, null);
  });

  it('keeps volumes of the image out of HostConfig', () => {
    const mount = {
      type: 'volume' as const,
      source: 'x',
      target: '/data',
      readonly: false,
      createSource: true,
      fromImage: true,
    };
    const { HostConfig } = encodeContainerInspect(sampleContainer({ host: sampleHost({ mounts: [mount] }) }));
    assert.equal(HostConfig.Binds, null);
    assert.equal(HostConfig.Mounts, undefined);
  });
});

describe('encodeContainerSummary', () => {
  it('lists published and exposed ports and quotes arguments with blanks', () => {
    const { process } = sampleContainer();
    const container = sampleContainer({ process: { ...process, cmd: ['sh', '-c', 'echo hi'] } });
    const summary = encodeContainerSummary(container, { now, imageNamed: true });
    assert.equal(summary.Command, "sh -c 'echo hi'");
    assert.deepEqual(summary.Ports, [
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 18080, Type: 'tcp' },
      { IP: '::', PrivatePort: 80, PublicPort: 18080, Type: 'tcp' },
      { PrivatePort: 81, Type: 'tcp' },
    ]);
    assert.equal(summary.Image, 'busybox:latest');
  });

  it('shows the image id when the name has moved to another image', () => {
    const container = sampleContainer();
    assert.equal(encodeContainerSummary(container, { now, imageNamed: false }).Image, container.imageId);
  });

  it('words every state as docker ps does', () => {
    const { state } = sampleContainer();
    const text = (changes: Partial<typeof state>) =>
      statusText(sampleContainer({ state: { ...state, ...changes } }), now);
    assert.equal(text({}), 'Up About an hour');
    assert.equal(text({ startedAt: now - 5 * 60_000 }), 'Up 5 minutes');
    const health = { failingStreak: 0, log: [] };
    assert.equal(text({ startedAt: now - 1000, health: { ...health, status: 'healthy' } }), 'Up 1 second (healthy)');
    assert.equal(
      text({ startedAt: now, health: { ...health, status: 'starting' } }),
      'Up Less than a second (health: starting)',
    );
    assert.equal(text({ status: 'paused', startedAt: now - 49 * 3_600_000 }), 'Up 2 days (Paused)');
    assert.equal(
      text({ status: 'exited', exitCode: 137, finishedAt: now - 90_000 }),
      'Exited (137) About a minute ago',
    );
    assert.equal(text({ status: 'restarting', exitCode: 1, finishedAt: now - 3000 }), 'Restarting (1) 3 seconds ago');
    assert.equal(text({ status: 'created' }), 'Created');
    assert.equal(text({ status: 'removing' }), 'Removal In Progress');
    assert.equal(text({ status: 'dead' }), 'Dead');
  });
});
