import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scenario } from './scenario.ts';

/** What a step gave, with what differs from run to run replaced by words. */
export interface Fact {
  readonly run: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const replacements: readonly (readonly [RegExp, string])[] = [
  [/sha256:[0-9a-f]{64}/g, 'DIGEST'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g, 'SHORTID'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d{4} \w+)?/g, 'TIME'],
  [/\b(172|192|10)\.\d+\.\d+\.\d+\b/g, 'ADDRESS'],
  [/(Less than a second|About an? \w+|\d+ \w+) ago/g, 'AGO'],
  [/\/(var|tmp)\/[\w./-]+/g, 'PATH'],
  [/\b[a-z]+_[a-z]+ \(ID\)/g, 'NAME (ID)'],
  [/\r/g, '\\r'],
];

/** Takes out of `text` what no two runs have in common: ids, times, addresses, paths of stores. */
export function normalise(text: string): string {
  return replacements.reduce((result, [pattern, word]) => result.replace(pattern, word), text);
}

/** Runs a scenario with the docker CLI against the engine at `host`; `cli` is a directory that goes first in PATH. */
export function perform(scenario: Scenario, options: { host: string; cli?: string }): Fact[] {
  const directory = mkdtempSync(join(tmpdir(), 'berth-scenario-'));
  const env = {
    ...process.env,
    DOCKER_HOST: options.host,
    DOCKER_CONFIG: join(directory, '.docker'),
    PATH: options.cli ? `${options.cli}:${process.env.PATH}` : process.env.PATH,
  };
  const shell = (command: string) =>
    spawnSync('sh', ['-c', command], { cwd: directory, env, encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 });
  try {
    return scenario.steps.map(({ run }) => {
      const { status, stdout, stderr } = shell(run);
      return { run, code: status, stdout: normalise(stdout), stderr: normalise(stderr) };
    });
  } finally {
    if (scenario.cleanup) shell(scenario.cleanup);
    rmSync(directory, { recursive: true, force: true });
  }
}
