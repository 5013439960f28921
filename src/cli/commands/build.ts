import { writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { messageOf } from '#base';
import type { Query } from '#client';
import { readBuildContext } from '../build/build-context.ts';
import { type Command, ExitError, exactly, type Invocation } from '../command/index.ts';
import { type FlagValues, flagTable } from '../flags/index.ts';
import { connectClient, readConfigFile } from '../host/index.ts';
import { allCredentials, readImageName, renderProgress } from '../progress/index.ts';
import { keyValueMap, readExtraHosts, readUlimit } from '../run/index.ts';

const flags = flagTable(`
      --add-host list           Add a line to /etc/hosts (host:ip)
      --build-arg list          Set a build-time variable
      --build-context list      Add a named context: a directory or an image (name=path, name=docker-image://name)
      --cache-from strings      Images whose layers may serve as cache
      --cgroup-parent string    Parent cgroup of the build containers
      --compress                !
      --cpu-period int          Period of the CPU limit (CFS), in microseconds
      --cpu-quota int           CPU time allowed in each period (CFS), in microseconds
  -c, --cpu-shares int          CPU shares (relative weight)
      --cpuset-cpus string      CPUs that may be used (0-3, 0,1)
      --cpuset-mems string      Memory nodes that may be used (0-3, 0,1)
      --disable-content-trust   !
  -f, --file string             Name of the Dockerfile (default "PATH/Dockerfile")
      --force-rm                Always remove intermediate containers
      --iidfile string          Write the image ID to the file
      --isolation string        !
      --label list              Set a label on the image
      --load                    !
  -m, --memory bytes            Memory limit
      --memory-swap bytes       Limit of memory plus swap: '-1' for unlimited swap
      --network string          Network of the RUN instructions (default "default")
      --no-cache                Do not use the cache
      --platform string         Platform of the image
      --progress string         Kind of output ("auto", "plain", "quiet", "rawjson") (default "auto")
      --pull                    Always look for a newer version of the base image
  -q, --quiet                   Print the image ID only
      --rm                      Remove intermediate containers after success (default true)
      --secret list             Give the build a secret (id=mysecret[,src=/local/secret|,env=NAME])
      --security-opt strings    Security options
      --shm-size bytes          Size of /dev/shm
      --squash                  !
      --ssh list                Give the build an ssh agent (default|<id>[=<socket>])
  -t, --tag list                Name of the image, and optionally a tag (name:tag)
      --target string           Stage of the Dockerfile to build
      --ulimit ulimit           Set a ulimit (default [])
`);

function buildArgs(flagsGiven: FlagValues, env: Invocation['terminal']['env']): Record<string, string | null> {
  const args: Record<string, string | null> = {};
  for (const word of flagsGiven.list('build-arg')) {
    const equals = word.indexOf('=');
    if (equals !== -1) args[word.slice(0, equals)] = word.slice(equals + 1);
    else args[word] = env[word] ?? null;
  }
  return args;
}

function buildQuery(
  given: FlagValues,
  options: { dockerfile: string; remote?: string; env: Invocation['terminal']['env'] },
): Query {
  const number = (name: string) => (given.changed(name) ? given.number(name) : undefined);
  const word = (name: string) => given.string(name) || undefined;
  const json = (value: object) => (Object.keys(value).length === 0 ? undefined : JSON.stringify(value));
  const tags = given.list('tag').map((tag) => {
    const name = readImageName(tag);
    return `${name.familiar}:${name.tag ?? 'latest'}`;
  });
  return {
    version: '1',
    dockerfile: options.dockerfile.replaceAll('\\', '/'),
    t: tags,
    remote: options.remote,
    q: given.bool('quiet') || given.string('progress') === 'quiet' || undefined,
    nocache: given.bool('no-cache') || undefined,
    cachefrom: json(given.list('cache-from')),
    pull: given.bool('pull') || undefined,
    rm: given.changed('rm') ? given.bool('rm') : true,
    forcerm: given.bool('force-rm') || undefined,
    memory: number('memory'),
    memswap: number('memory-swap'),
    cpushares: number('cpu-shares'),
    cpuperiod: number('cpu-period'),
    cpuquota: number('cpu-quota'),
    cpusetcpus: word('cpuset-cpus'),
    cpusetmems: word('cpuset-mems'),
    cgroupparent: word('cgroup-parent'),
    shmsize: number('shm-size'),
    networkmode: word('network'),
    platform: word('platform'),
    target: word('target'),
    securityopt: json(given.list('security-opt')),
    extrahosts: given.list('add-host').length === 0 ? undefined : readExtraHosts(given.list('add-host')).join(','),
    buildargs: json(buildArgs(given, options.env)),
    labels: json(keyValueMap(given.list('label'))),
    ulimits: given.list('ulimit').length === 0 ? undefined : JSON.stringify(given.list('ulimit').map(readUlimit)),
  };
}

/** Docker's builder of old: the context is a tar, what it says is text. */
async function buildClassic(invocation: Invocation, quiet: boolean): Promise<string> {
  const { flags: given, args, terminal, globals } = invocation;
  const client = await connectClient(invocation);
  const context = await readBuildContext({
    context: args[0] ?? '',
    file: given.string('file'),
    cwd: terminal.cwd,
    stdin: terminal.stdin,
  });
  let id = '';
  // A quiet build's only line is the id.
  const output = new PassThrough();
  const said = text(output);
  const messages = client.images.build({
    context: context.tar,
    query: buildQuery(given, {
      dockerfile: context.dockerfile,
      env: terminal.env,
      ...(context.remote ? { remote: context.remote } : {}),
    }),
    auths: await allCredentials(readConfigFile(globals.configDir)),
  });
  const onAux = (aux: unknown): void => {
    if (typeof aux === 'object' && aux !== null && 'ID' in aux) id = String(aux.ID);
  };
  try {
    await renderProgress(messages, quiet ? output : terminal.stdout, onAux);
  } catch (error) {
    if (error instanceof Error && error.name === 'ApiError') throw error;
    const details = error instanceof Error && 'details' in error ? (error.details as { code?: number }) : {};
    throw new ExitError(details.code || 1, `${messageOf(error)}\n`);
  }
  output.end();
  return (quiet && (await said).trim()) || id;
}

/** Whether a build may ask its client for things, or is to say what only BuildKit's API does. */
function needsSession(given: FlagValues): boolean {
  const extras = ['secret', 'ssh', 'build-context'].some((name) => given.list(name).length > 0);
  return extras || given.string('progress') === 'rawjson';
}

/** `berth build`. */
export const command: Command = {
  usage: '[OPTIONS] PATH | URL | -',
  short: 'Build an image from a Dockerfile',
  flags,
  args: exactly(1),
  checks: { ulimit: readUlimit, tag: readImageName },
  async run(invocation) {
    const { flags: given, terminal } = invocation;
    const progress = given.string('progress', 'auto');
    if (!['auto', 'plain', 'tty', 'quiet', 'rawjson'].includes(progress)) {
      throw new ExitError(1, `invalid progress mode: ${progress}\n`);
    }
    const quiet = given.bool('quiet') || progress === 'quiet';
    const id = needsSession(given)
      ? await (await import('../build/build-command.ts')).buildAsking(invocation, {
          quiet,
          query: (dockerfile) => buildQuery(given, { dockerfile, env: terminal.env }),
        })
      : await buildClassic(invocation, quiet);
    if (quiet && id !== '') terminal.stdout.write(`${id}\n`);
    const idFile = given.string('iidfile');
    if (idFile !== '' && id !== '') writeFileSync(idFile, id);
    return 0;
  },
};
