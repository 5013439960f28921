import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scenario } from './scenarios.ts';

/** What a step gave, with what differs from run to run replaced by words; lines sorted, as services run side by side. */
export interface Fact {
  readonly run: string;
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

const replacements: readonly (readonly [RegExp, string])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours and erasures are what is taken out
  [/\x1b\[[0-9;]*[A-Za-z]|\r/g, ''],
  [/time="[^"]*"/g, 'time="TIME"'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g, 'SHORTID'],
  [/0\.0\.0\.0:\d+/g, '0.0.0.0:PORT'],
  [/\b\d{5}\/tcp/g, 'PORT/tcp'],
  [/\/tmp\/[\w./-]+/g, 'PATH'],
  // What only ours adds: where in the file it is, what is meant, and how the command is used.
  [/ \(services\.[\w.]+, PATH:\d+\)/g, ''],
  [/\n+(Did you mean .*\n+)?Usage: [\s\S]*$/, '\n'],
  [/\bberth\b/g, 'docker'],
];

/** Lines of `text` without ids, times, ports and names of temporary directories, sorted. */
function normalise(text: string, project: string): string[] {
  const plain = replacements.reduce(
    (result, [pattern, word]) => result.replace(pattern, word),
    text.replaceAll(project, 'PROJECT'),
  );
  return plain
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .sort();
}

/** Runs a scenario with `command` (words of a shell) against the engine at `host`. */
export function perform(scenario: Scenario, { host, command }: { host: string; command: string }): Fact[] {
  const directory = mkdtempSync(join(tmpdir(), 'commands-'));
  const project = directory.slice(directory.lastIndexOf('/') + 1).toLowerCase();
  const env = { ...process.env, DOCKER_HOST: host, BERTH_HOST: host, C: command, P: project, NO_COLOR: '1' };
  const shell = (line: string) =>
    spawnSync('sh', ['-c', line], { cwd: directory, env, encoding: 'utf8', timeout: 60_000, input: '' });
  for (const [name, text] of Object.entries(scenario.files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  try {
    return scenario.steps.map((run) => {
      const { status, stdout, stderr } = shell(run);
      return { run, code: status, stdout: normalise(stdout, project), stderr: normalise(stderr, project) };
    });
  } finally {
    shell('$C --profile "*" down -v --remove-orphans -t 0');
    rmSync(directory, { recursive: true, force: true });
  }
}
