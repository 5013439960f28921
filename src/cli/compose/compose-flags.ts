import { ExitError } from '../command/index.ts';
import { type FlagValues, flagTable } from '../flags/index.ts';
import type { ComposeGlobals } from './compose-command.ts';

/** Flags between `compose` and the subcommand. */
export const composeFlags = flagTable(`
      --all-resources              Include all resources, even those that no service uses
      --ansi string                When to print ANSI control characters ("never"|"always"|"auto") (default "auto")
      --compatibility              !
      --dry-run                    Say what would be done, and why, and do nothing
      --env-file stringArray       Another environment file
  -f, --file stringArray           Compose files
      --no-ansi                    !
      --parallel int               Most calls to the engine at a time, -1 for no limit (default -1)
      --profile stringArray        Switch a profile on
      --progress string            Kind of progress output (auto, tty, plain, json, quiet)
      --project-directory string   Another working directory (default: that of the first Compose file)
  -p, --project-name string        Name of the project
      --verbose                    !
  -v, --version                    Show the version
      --workdir string             !
`);

const progressKinds = ['', 'auto', 'tty', 'plain', 'json', 'quiet'];

/** What is said of flags that have another name now. */
export function deprecations(values: FlagValues): string {
  const lines = [
    values.changed('no-ansi') ? "option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.\n" : '',
    values.changed('workdir')
      ? "option '--workdir' is DEPRECATED at root level! Please use '--project-directory' instead.\n"
      : '',
  ];
  return lines.join('');
}

/** Reads the flags and the environment variables that stand in for them. */
export function readComposeGlobals(
  values: FlagValues,
  env: Readonly<Record<string, string | undefined>>,
): ComposeGlobals {
  const progress = values.string('progress') || env.COMPOSE_PROGRESS || 'auto';
  if (!progressKinds.includes(progress)) throw new ExitError(1, `unsupported --progress value "${progress}"\n`);
  const ansi = values.bool('no-ansi') ? 'never' : values.string('ansi') || env.COMPOSE_ANSI || 'auto';
  if (!['auto', 'never', 'always'].includes(ansi)) {
    throw new ExitError(1, `invalid value for --ansi: "${ansi}"; choose never, always or auto\n`);
  }
  const limit = env.COMPOSE_PARALLEL_LIMIT || '-1';
  if (!/^[+-]?\d+$/.test(limit)) {
    throw new ExitError(1, `COMPOSE_PARALLEL_LIMIT must be an integer (found: ${JSON.stringify(limit)})\n`);
  }
  const parallel = values.changed('parallel') ? values.number('parallel') : Number(limit);
  return {
    files: values.list('file'),
    envFiles: values.list('env-file'),
    profiles: values.list('profile'),
    projectName: values.string('project-name'),
    projectDirectory: values.string('project-directory') || values.string('workdir'),
    progress,
    ansi,
    parallel,
    dryRun: values.bool('dry-run'),
    allResources: values.bool('all-resources'),
  };
}
