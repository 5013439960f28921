// Records what a real dockerd answers: node dist-test/conformance/docker-cli/record.js DOCKER_HOST FACTS [SCENARIO...]
// The engine must have busybox:latest as scenarios.ts describes it. With names only those scenarios are recorded anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Fact, perform } from './perform.ts';
import { scenarios } from './scenarios.ts';

const [host, path, ...names] = process.argv.slice(2);
if (host === undefined || path === undefined) {
  console.error('usage: record.js DOCKER_HOST FACTS [SCENARIO...]');
  process.exit(2);
}
const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Fact[]>) : {};
const facts = scenarios.map((scenario) => {
  const anew = names.length === 0 || names.includes(scenario.name) || known[scenario.name] === undefined;
  return [scenario.name, anew ? perform(scenario, { host }) : known[scenario.name]];
});
writeFileSync(path, `${JSON.stringify(Object.fromEntries(facts), null, 1)}\n`);
