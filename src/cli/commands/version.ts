import type { SystemVersion } from '#api-types';
import { apiVersion } from '#api-types';
import { messageOf } from '#base';
import { type Command, ExitError, type Invocation, noArgs } from '../command/index.ts';
import { errorText } from '../error-text.ts';
import { flagTable } from '../flags/index.ts';
import { connectClient, currentContext } from '../host/index.ts';
import { productVersion } from '../product.ts';
import { goJson, Template } from '../template/index.ts';

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function clientPart(invocation: Invocation, server: SystemVersion | undefined): Record<string, unknown> {
  const lower = server !== undefined && Number(server.ApiVersion.split('.')[1]) < Number(apiVersion.split('.')[1]);
  return {
    Platform: { Name: 'Berth' },
    Version: productVersion(),
    ApiVersion: lower ? server.ApiVersion : apiVersion,
    DefaultAPIVersion: apiVersion,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: goArch[process.arch] ?? process.arch,
    BuildTime: '',
    Context: currentContext(invocation.globals, invocation.terminal.env),
  };
}

function line(label: string, value: string, indent = 1, width = 19): string {
  return `${`${' '.repeat(indent)}${label}:`.padEnd(width)}${value}`.trimEnd();
}

function clientText(client: Record<string, unknown>): string {
  const api =
    client.ApiVersion === client.DefaultAPIVersion
      ? client.ApiVersion
      : `${client.ApiVersion} (downgraded from ${client.DefaultAPIVersion})`;
  return [
    'Client: Berth',
    line('Version', String(client.Version)),
    line('API version', String(api)),
    line('Node version', process.versions.node),
    line('OS/Arch', `${client.Os}/${client.Arch}`),
    line('Context', String(client.Context)),
  ].join('\n');
}

function serverText(server: SystemVersion): string {
  const lines = [server.Platform?.Name ? `Server: ${server.Platform.Name}` : 'Server:'];
  for (const component of server.Components ?? []) {
    lines.push(` ${component.Name}:`);
    const details = component.Details ?? {};
    const add = (label: string, value: string | undefined) => {
      if (value !== undefined) lines.push(line(label, value, 2));
    };
    if (component.Name === 'Engine') {
      add('Version', component.Version);
      add('API version', `${details.ApiVersion} (minimum version ${details.MinAPIVersion})`);
      add('Go version', details.GoVersion);
      add('Git commit', details.GitCommit);
      add('Built', details.BuildTime);
      add('OS/Arch', `${details.Os}/${details.Arch}`);
      add('Experimental', details.Experimental);
    } else {
      add('Version', component.Version);
      add('GitCommit', details.GitCommit ?? '');
    }
  }
  return lines.join('\n');
}

/** `berth version`. */
export const command: Command = {
  usage: '[OPTIONS]',
  short: 'Show version information',
  flags: flagTable("  -f, --format string   'json', or a Go TEMPLATE"),
  args: noArgs,
  async run(invocation) {
    const { flags, terminal } = invocation;
    let server: SystemVersion | undefined;
    let fault: unknown;
    try {
      const client = await connectClient(invocation);
      server = await client.system.version();
    } catch (error) {
      fault = error;
    }
    const data = { Client: clientPart(invocation, server), Server: server ?? null };
    const format = flags.string('format');
    if (format === 'json') terminal.stdout.write(`${goJson(data)}\n`);
    else if (format !== '') {
      try {
        terminal.stdout.write(`${new Template(format).execute(data)}\n`);
      } catch (error) {
        throw new ExitError(64, `template parsing error: ${messageOf(error)}\n`);
      }
    } else terminal.stdout.write(`${clientText(data.Client)}\n${server ? `\n${serverText(server)}\n` : ''}`);
    if (fault !== undefined) throw new ExitError(1, errorText(fault));
  },
};
