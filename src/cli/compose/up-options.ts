import { invalid } from '#base';
import type { Client } from '#client';
import type { UpOptions } from '#compose';
import type { FlagValues } from '../flags/index.ts';
import type { ComposeInvocation } from './compose-command.ts';
import { isTrue } from './is-true.ts';
import { lazyImageSource } from './lazy-image-source.ts';

/** Flags that `up` and `create` share. */
export const createFlags = `
      --build               Build images first
      --force-recreate      Recreate containers even if nothing has changed
      --locked              Refuse images that compose.lock does not hold
      --no-build            Do not build an image, even if it is missing
      --no-recreate         Leave containers that exist as they are
      --pull string         Pull images first ("always"|"missing"|"never"|"build"|"policy") (default "policy")
      --quiet-pull          Pull without showing progress
      --remove-orphans      Remove containers of services that the file does not have
      --scale stringArray   SERVICE=NUM of containers
  -y, --yes                 Answer all questions with yes
`;

/** Reads the SERVICE=NUM words of `--scale`. Throws `invalid` with docker compose's texts. */
export function readScale(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word): [string, number] => {
      const [name = '', count, ...more] = word.split('=');
      if (name === '' || count === undefined || more.length > 0) {
        throw invalid(`invalid --scale option ${JSON.stringify(word)}. Should be SERVICE=NUM`);
      }
      if (!/^\d+$/.test(count)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(count)}: invalid syntax`);
      return [name, Number(count)];
    }),
  );
}

const pullPolicies = ['', 'always', 'missing', 'never', 'build', 'policy', 'if_not_present'];

/** The value of `--pull`. Throws `invalid` with docker compose's text. */
export function pullFlag(given: FlagValues): string | undefined {
  const policy = given.string('pull');
  if (!pullPolicies.includes(policy)) throw invalid(`invalid --pull option ${JSON.stringify(policy)}`);
  return policy || undefined;
}

/** Asks whether a volume's data may go; only a person at a terminal can say so. */
async function confirmVolume(invocation: ComposeInvocation, name: string): Promise<boolean> {
  const { flags, terminal } = invocation;
  if (flags.bool('yes')) return true;
  if (terminal.stdin.isTTY !== true) {
    terminal.stderr.write(
      `Volume "${name}" exists but doesn't match configuration in compose file. It is left as it is; use --yes to recreate it (data will be lost)\n`,
    );
    return false;
  }
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const answer = await prompt.question(
    `Volume "${name}" exists but doesn't match configuration in compose file. Recreate (data will be lost)? (y/N) `,
  );
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

type CreateOptions = Omit<UpOptions, 'noDeps' | 'renewAnonymousVolumes' | 'start' | 'wait' | 'recreateDependencies'>;

/** How a whole project is brought to what is there, without pulls and builds, for commands with no such flags. */
export function plainOptions(invocation: ComposeInvocation, client: Client): Omit<UpOptions, 'wait'> {
  const { terminal, compose } = invocation;
  return {
    services: [],
    images: {
      source: lazyImageSource(client, invocation),
      pull: 'never',
      build: 'never',
      quietPull: true,
      quietBuild: true,
    },
    recreate: 'diverged',
    recreateDependencies: 'diverged',
    removeOrphans: isTrue(terminal.env.COMPOSE_REMOVE_ORPHANS),
    ignoreOrphans: isTrue(terminal.env.COMPOSE_IGNORE_ORPHANS),
    noDeps: false,
    renewAnonymousVolumes: false,
    scale: {},
    start: true,
    dryRun: compose.dryRun,
    confirmVolume: async () => false,
  };
}

/** The part of the options that `up` and `create` read the same way. Throws `invalid` for flags that contradict. */
export function createOptions(invocation: ComposeInvocation, client: Client): CreateOptions {
  const { flags, terminal, args, compose } = invocation;
  if (flags.bool('force-recreate') && flags.bool('no-recreate')) {
    throw invalid('--force-recreate and --no-recreate are incompatible');
  }
  if (flags.bool('build') && flags.bool('no-build')) throw invalid('--build and --no-build are incompatible');
  return {
    services: args,
    images: {
      source: lazyImageSource(client, invocation),
      pull: pullFlag(flags),
      build: flags.bool('build') ? 'always' : flags.bool('no-build') ? 'never' : 'missing',
      quietPull: flags.bool('quiet-pull'),
      quietBuild: compose.progress === 'quiet',
    },
    recreate: flags.bool('force-recreate') ? 'force' : flags.bool('no-recreate') ? 'never' : 'diverged',
    removeOrphans: flags.bool('remove-orphans') || isTrue(terminal.env.COMPOSE_REMOVE_ORPHANS),
    ignoreOrphans: isTrue(terminal.env.COMPOSE_IGNORE_ORPHANS),
    scale: readScale(flags.list('scale')),
    dryRun: compose.dryRun,
    timeout: undefined,
    confirmVolume: (name) => confirmVolume(invocation, name),
  };
}
