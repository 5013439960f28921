// Records what a real dockerd answers: node dist-test/conformance/docker-cli/record.js DOCKER_HOST > facts.json
// The engine must have busybox:latest as scenarios.ts describes it and nothing else.
import { perform } from './perform.ts';
import { scenarios } from './scenarios.ts';

const host = process.argv[2];
if (host === undefined) {
  console.error('usage: record.js DOCKER_HOST');
  process.exit(2);
}
const facts = Object.fromEntries(scenarios.map((scenario) => [scenario.name, perform(scenario, { host })]));
process.stdout.write(`${JSON.stringify(facts, null, 1)}\n`);
