import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseFlags } from '../flags/index.ts';
import { containerRequest } from './container-request.ts';
import { runChecks } from './run-checks.ts';
import { containerFlags } from './run-flags.ts';

interface Recorded {
  readonly args: string[];
  readonly body: Record<string, unknown>;
}

/** Bodies that Docker's own client sent for these words, without what is empty in them. */
const recorded = JSON.parse(
  readFileSync(new URL('../../../src/cli/run/testdata/create-bodies.json', import.meta.url), 'utf8'),
) as Recorded[];
const keptWhole = new Set(['ExposedPorts', 'Volumes', 'Tmpfs', 'Labels', 'PortBindings']);

function withoutEmpty(value: unknown, key = ''): unknown {
  if (typeof value === 'object' && value !== null && keptWhole.has(key) && Object.keys(value).length > 0) return value;
  if ((key === 'StopTimeout' || key === 'Init') && value !== null) return value;
  if (Array.isArray(value)) {
    const list = key === 'Env' || key === 'Binds' ? [...value].sort() : value.map((part) => withoutEmpty(part) ?? null);
    return list.length === 0 ? undefined : list;
  }
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).flatMap(([name, part]) => {
      const kept = withoutEmpty(part, name);
      return kept === undefined ? [] : [[name, kept] as const];
    });
    return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
  }
  return value === null || value === '' || value === false || value === 0 ? undefined : value;
}

function request(args: string[]) {
  const { values, positional } = parseFlags(args, { specs: containerFlags, interspersed: false, checks: runChecks });
  const [image = '', ...words] = positional;
  return containerRequest(values, { image, words, env: { B: 'bee' }, cwd: '/nowhere', consoleSize: [0, 0] });
}

for (const { args, body } of recorded) {
  if (args.some((arg) => arg.endsWith('-file') || arg === ',capabilities=utility')) continue;
  test(`create ${args.join(' ')} asks for what Docker's client asks for`, () => {
    assert.deepEqual(withoutEmpty(request(args)), body);
  });
}

const refusals: readonly (readonly [args: string[], message: RegExp])[] = [
  [['-p', '8080:xx', 'i'], /^invalid containerPort: xx$/],
  [['-p', '1-3:1-2', 'i'], /invalid ranges specified for container and host Ports: 1-2 and 1-3/],
  [['-p', '80/foo', 'i'], /invalid proto: foo/],
  [['-m', 'x', 'i'], /invalid argument "x" for "-m, --memory" flag: invalid size: 'x'/],
  [['--cpus', 'x', 'i'], /failed to parse x as a rational number/],
  [['--mount', 'type=bind', 'i'], /invalid argument "type=bind" for "--mount" flag: target is required/],
  [['--mount', 'type=bind,dst=/x,volume-nocopy', 'i'], /cannot mix 'volume-\*' options with mount type 'bind'/],
  [['--mount', 'type=bind,src=/a,dst=/x,bind-idmap=userns:x', 'i'], /invalid value for bind-idmap: userns:x/],
  [['--mount', 'type=tmpfs,dst=/x,bind-idmap', 'i'], /cannot mix 'bind-\*' options with mount type 'tmpfs'/],
  [['--mount', 'foo=bar,dst=/x', 'i'], /unexpected key 'foo' in 'foo=bar'/],
  [['-v', 'a::b', 'i'], /empty section between colons/],
  [['-v', 'a:b:c:d', 'i'], /too many colons/],
  [['--rm', '--restart', 'always', 'i'], /cannot specify both --restart and --rm/],
  [['--restart', 'on-failure:x', 'i'], /maximum retry count must be an integer/],
  [['--ulimit', 'nofile=5:2', 'i'], /soft limit must be less than or equal to hard limit/],
  [['--env-file', '/nowhere/none', 'i'], /^open \/nowhere\/none: no such file or directory$/],
  [['--no-healthcheck', '--health-cmd', 'x', 'i'], /--no-healthcheck conflicts with --health-\* options/],
  [['--device', 'null', 'i'], /null is not an absolute path/],
  [
    ['--network', 'host', '--network-alias', 'a', 'i'],
    /network-scoped aliases are only supported for user-defined networks/,
  ],
  [['--add-host', 'x', 'i'], /bad format for add-host: "x"/],
  [['--dns', 'x', 'i'], /IP address is not correctly formatted: x/],
];
for (const [args, message] of refusals) {
  test(`create ${args.join(' ')} is refused`, () => {
    assert.throws(() => request(args), { message });
  });
}

// Docker's draft of the option; no recorded client has it.
for (const [option, mapping] of [
  ['bind-idmap', { Source: 'match-user' }],
  ['bind-idmap=match-user', { Source: 'match-user' }],
  ['bind-idmap=match-user:1000:100', { Source: 'match-user', User: '1000:100' }],
  ['bind-idmap=userns', { Source: 'userns' }],
] as const) {
  test(`create --mount with ${option} asks for that mapping of owners`, () => {
    const [mount] = request(['--mount', `type=bind,src=/a,dst=/b,${option}`, 'i']).HostConfig?.Mounts ?? [];
    assert.deepEqual(mount?.BindOptions, { IDMapping: mapping });
  });
}
