import type { ContainerUpdateRequest } from '#api-types';
import { invalid } from '#base';
import { atLeast, type Command } from '../command/index.ts';
import { flagTable } from '../flags/index.ts';
import { forEachName } from '../for-each.ts';
import { connectClient } from '../host/index.ts';
import { limitFlags, readNanoCpus, readRestartPolicy } from '../run/index.ts';

const flags = [
  ...limitFlags,
  ...flagTable(`
      --kernel-memory bytes        !
      --restart string             When to restart the container after it exits
`),
];

const fields: Readonly<
  Record<
    string,
    | 'BlkioWeight'
    | 'CpuPeriod'
    | 'CpuQuota'
    | 'CpuRealtimePeriod'
    | 'CpuRealtimeRuntime'
    | 'CpuShares'
    | 'KernelMemory'
    | 'Memory'
    | 'MemoryReservation'
    | 'MemorySwap'
    | 'PidsLimit'
  >
> = {
  'blkio-weight': 'BlkioWeight',
  'cpu-period': 'CpuPeriod',
  'cpu-quota': 'CpuQuota',
  'cpu-rt-period': 'CpuRealtimePeriod',
  'cpu-rt-runtime': 'CpuRealtimeRuntime',
  'cpu-shares': 'CpuShares',
  'kernel-memory': 'KernelMemory',
  memory: 'Memory',
  'memory-reservation': 'MemoryReservation',
  'memory-swap': 'MemorySwap',
  'pids-limit': 'PidsLimit',
};

/** `berth update`. */
export const command: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  short: 'Change limits of one or more containers',
  flags,
  args: atLeast(1),
  checks: { cpus: readNanoCpus },
  async run(invocation) {
    const { flags: given, args, terminal } = invocation;
    if (!flags.some((flag) => given.changed(flag.name)))
      throw invalid('you must provide one or more flags when using this command');
    const body: ContainerUpdateRequest = {};
    for (const [flag, field] of Object.entries(fields)) if (given.changed(flag)) body[field] = given.number(flag);
    if (given.changed('cpus')) body.NanoCpus = readNanoCpus(given.string('cpus'));
    if (given.changed('cpuset-cpus')) body.CpusetCpus = given.string('cpuset-cpus');
    if (given.changed('cpuset-mems')) body.CpusetMems = given.string('cpuset-mems');
    if (given.changed('restart')) body.RestartPolicy = readRestartPolicy(given.string('restart'));
    const client = await connectClient(invocation);
    return forEachName(terminal, args, async (name) => {
      const { Warnings: warnings } = await client.containers.update(name, body);
      for (const warning of warnings ?? []) terminal.stderr.write(`${warning}\n`);
    });
  },
};
