// Records what the real docker compose gives: node dist-test/conformance/compose-commands/record.js DOCKER_HOST COMMAND FACTS
// COMMAND is words of a shell, such as "docker compose"; the engine must have busybox:latest.
import { writeFileSync } from 'node:fs';
import { perform } from './perform.ts';
import { scenarios } from './scenarios.ts';

const [host, command, path] = process.argv.slice(2);
if (host === undefined || command === undefined || path === undefined) {
  console.error('usage: record.js DOCKER_HOST COMMAND FACTS');
  process.exit(2);
}
const facts = scenarios.map((scenario) => [scenario.name, perform(scenario, { host, command })]);
writeFileSync(path, `${JSON.stringify(Object.fromEntries(facts), null, 1)}\n`);
