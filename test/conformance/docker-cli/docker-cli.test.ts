import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests, findDockerCli } from '#testkit';
import { type Fact, perform } from './perform.ts';
import type { Step } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const testdata = fileURLToPath(new URL('../../../test/conformance/docker-cli/testdata/', import.meta.url));
const recorded = JSON.parse(readFileSync(`${testdata}docker-28.json`, 'utf8')) as Record<string, Fact[]>;
const cli = findDockerCli();

/** What differs on purpose or because of the host, by command: why, and what we show instead. */
const deviations = JSON.parse(readFileSync(`${testdata}deviations.json`, 'utf8')) as Record<
  string,
  Partial<Fact> & { why: string; compare?: Step['compare'] }
>;

// The texts are those of docker CLI 28 with dockerd 28.5; an older client words its own messages in another way.
const skip = cli.major < 28 ? `the facts are of docker CLI 28, this is ${cli.major}` : false;

describe('docker CLI', { skip }, () => {
  const { daemon } = daemonForTests();

  for (const scenario of scenarios) {
    test(scenario.name, async (context) => {
      const facts = perform(scenario, { host: daemon.host, cli: cli.directory });
      const expected = recorded[scenario.name] ?? [];
      for (const [index, step] of scenario.steps.entries()) {
        const want = { compare: step.compare, ...expected[index], ...deviations[step.run] };
        assert.equal(expected[index]?.run, step.run, 'facts are older than scenarios: record them again');
        await context.test(step.run, () => {
          const have = facts[index];
          assert.equal(have?.code, want.code, `exit code; stderr: ${have?.stderr}`);
          if (want.compare !== 'code') assert.equal(have?.stdout, want.stdout);
          if (want.compare === 'all') assert.equal(have?.stderr, want.stderr);
        });
      }
    });
  }
});
