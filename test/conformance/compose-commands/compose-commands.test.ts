import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importBusybox, TestDaemon } from '#testkit';
import { type Fact, perform } from './perform.ts';
import { scenarios } from './scenarios.ts';

const root = new URL('../../../', import.meta.url);
const testdata = fileURLToPath(new URL('test/conformance/compose-commands/testdata/', root));
const recorded = JSON.parse(readFileSync(`${testdata}compose-2.40.json`, 'utf8')) as Record<string, Fact[]>;

/** What differs on purpose, by command: why, and what we show instead. */
const deviations = JSON.parse(readFileSync(`${testdata}deviations.json`, 'utf8')) as Record<
  string,
  Partial<Fact> & { why: string }
>;

describe('berth compose', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
    importBusybox(daemon.socket);
  });
  after(() => daemon[Symbol.asyncDispose]());

  for (const scenario of scenarios) {
    test(scenario.name, async (context) => {
      const command = `${fileURLToPath(new URL('bin/berth', root))} compose`;
      const facts = perform(scenario, { host: daemon.host, command });
      const expected = recorded[scenario.name] ?? [];
      for (const [index, run] of scenario.steps.entries()) {
        assert.equal(expected[index]?.run, run, 'facts are older than scenarios: record them again');
        await context.test(run, () => {
          const { why: _why, ...deviation } = deviations[run] ?? { why: '' };
          assert.deepEqual(facts[index], { ...expected[index], ...deviation });
        });
      }
    });
  }
});
