import { homedir } from 'node:os';
import { join } from 'node:path';
import { ExitError, type GlobalFlags, type Terminal } from './command/index.ts';
import type { FlagValues } from './flags/index.ts';

/** The flags before a command, with what the environment says where they are silent. Throws {@link ExitError}. */
export function readGlobals(values: FlagValues, env: Terminal['env']): GlobalFlags {
  const hosts = values.list('host');
  if (hosts.length > 1) throw new ExitError(1, 'Specify only one -H\n');
  const host = hosts[0];
  if (host !== undefined && values.changed('context')) {
    throw new ExitError(1, 'conflicting options: cannot specify both --host and --context\n');
  }
  const given = (name: string) => (values.changed(name) ? values.string(name) : undefined);
  const [context, ca, cert, key] = [given('context'), given('tlscacert'), given('tlscert'), given('tlskey')];
  return {
    configDir: given('config') ?? (env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker')),
    ...(host === undefined ? {} : { host }),
    ...(context === undefined ? {} : { context }),
    tls: values.bool('tls'),
    tlsVerify: values.bool('tlsverify'),
    ...(ca === undefined ? {} : { tlsCaCert: ca }),
    ...(cert === undefined ? {} : { tlsCert: cert }),
    ...(key === undefined ? {} : { tlsKey: key }),
    debug: values.bool('debug'),
  };
}
