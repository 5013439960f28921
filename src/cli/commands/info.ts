import type { SystemInfo } from '#api-types';
import { messageOf } from '#base';
import { type Command, ExitError, noArgs } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { binarySize } from '../format/index.ts';
import { connectClient, currentContext } from '../host/index.ts';
import { productVersion } from '../product.ts';
import { goJson, Template } from '../template/index.ts';

function securityLines(options: readonly string[]): string[] {
  return options.flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split('=') as [string, string]);
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    const rest = pairs.filter(([key]) => key !== 'name');
    return [`  ${name}`, ...rest.map(([key, value]) => `   ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`)];
  });
}

function serverLines(info: SystemInfo): string[] {
  const commit = (value: { ID: string } | undefined) => value?.ID ?? '';
  const lines = [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ` Server Version: ${info.ServerVersion}`,
    ` Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([key, value]) => `  ${key}: ${value}`),
    ` Logging Driver: ${info.LoggingDriver}`,
    ` Cgroup Driver: ${info.CgroupDriver}`,
    ` Cgroup Version: ${info.CgroupVersion}`,
    ' Plugins:',
    `  Volume: ${(info.Plugins?.Volume ?? []).join(' ')}`,
    `  Network: ${(info.Plugins?.Network ?? []).join(' ')}`,
    ...(info.Plugins?.Authorization?.length ? [`  Authorization: ${info.Plugins.Authorization.join(' ')}`] : []),
    `  Log: ${(info.Plugins?.Log ?? []).join(' ')}`,
  ];
  if (info.CDISpecDirs?.length) lines.push(' CDI spec directories:', ...info.CDISpecDirs.map((path) => `  ${path}`));
  lines.push(` Swarm: ${info.Swarm?.LocalNodeState ?? 'inactive'}`);
  lines.push(
    ` Runtimes: ${Object.keys(info.Runtimes ?? {})
      .sort()
      .join(' ')}`,
    ` Default Runtime: ${info.DefaultRuntime}`,
  );
  lines.push(` Init Binary: ${info.InitBinary}`);
  lines.push(
    ` containerd version: ${commit(info.ContainerdCommit)}`,
    ` runc version: ${commit(info.RuncCommit)}`,
    ` init version: ${commit(info.InitCommit)}`,
  );
  if (info.SecurityOptions?.length) lines.push(' Security Options:', ...securityLines(info.SecurityOptions));
  lines.push(
    ` Kernel Version: ${info.KernelVersion}`,
    ` Operating System: ${info.OperatingSystem}`,
    ` OSType: ${info.OSType}`,
    ` Architecture: ${info.Architecture}`,
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${binarySize(info.MemTotal)}`,
    ` Name: ${info.Name}`,
    ` ID: ${info.ID}`,
    ` Docker Root Dir: ${info.DockerRootDir}`,
    ` Debug Mode: ${info.Debug}`,
  );
  if (info.HttpProxy) lines.push(` HTTP Proxy: ${info.HttpProxy}`);
  if (info.HttpsProxy) lines.push(` HTTPS Proxy: ${info.HttpsProxy}`);
  if (info.NoProxy) lines.push(` No Proxy: ${info.NoProxy}`);
  if (info.Labels?.length) lines.push(' Labels:', ...info.Labels.map((label) => `  ${label}`));
  lines.push(` Experimental: ${info.ExperimentalBuild}`);
  const registries = info.RegistryConfig;
  const insecure = Object.values(registries?.IndexConfigs ?? {})
    .filter((index) => !index.Secure)
    .map((index) => index.Name);
  const all = [...insecure.sort(), ...(registries?.InsecureRegistryCIDRs ?? [])];
  if (all.length > 0) lines.push(' Insecure Registries:', ...all.map((name) => `  ${name}`));
  if (registries?.Mirrors?.length) lines.push(' Registry Mirrors:', ...registries.Mirrors.map((name) => `  ${name}`));
  lines.push(` Live Restore Enabled: ${info.LiveRestoreEnabled}`);
  if (info.ProductLicense) lines.push(` Product License: ${info.ProductLicense}`);
  if (info.DefaultAddressPools?.length) {
    lines.push(
      ' Default Address Pools:',
      ...info.DefaultAddressPools.map((pool) => `   Base: ${pool.Base}, Size: ${pool.Size}`),
    );
  }
  return lines;
}

/** `berth info`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Display system-wide information',
  flags: flagTable("  -f, --format string   'json', or a Go TEMPLATE"),
  args: noArgs,
  async run(invocation) {
    const { flags, terminal, globals } = invocation;
    const context = currentContext(globals, terminal.env);
    const own = { Debug: globals.debug, Version: productVersion(), Context: context, Plugins: [], Warnings: null };
    let info: SystemInfo | undefined;
    let fault: unknown;
    try {
      info = await (await connectClient(invocation)).system.info();
    } catch (error) {
      fault = error;
    }
    const format = flags.string('format');
    const data = { ...(info ?? {}), ClientInfo: own };
    if (format === 'json') terminal.stdout.write(`${goJson(data)}\n`);
    else if (format !== '') {
      try {
        terminal.stdout.write(`${new Template(format).execute(data, { strict: true })}\n`);
      } catch (error) {
        throw new ExitError(64, `template parsing error: ${messageOf(error)}\n`);
      }
    } else {
      const head = [
        'Client: Berth',
        ` Version:    ${own.Version}`,
        ` Context:    ${context}`,
        ` Debug Mode: ${globals.debug}`,
        '',
        'Server:',
      ];
      terminal.stdout.write(`${head.join('\n')}\n`);
      if (info) {
        terminal.stdout.write(`${serverLines(info).join('\n')}\n\n`);
        for (const warning of info.Warnings ?? []) terminal.stderr.write(`${warning}\n`);
      }
    }
    if (fault !== undefined) throw new ExitError(1, `${errorText(fault)}`);
  },
};
