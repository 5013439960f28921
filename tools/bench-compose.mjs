// Measures compose commands side by side: our command on our engine, another on another, in turns. Prints medians in ms
// and the ratio. Both engines need busybox:latest.
// usage: node tools/bench-compose.mjs OUR_HOST THEIR_HOST [ROUNDS] [THEIR COMPOSE COMMAND...]
//        node tools/bench-compose.mjs unix:///run/berth/berth.sock unix:///run/docker.sock 10 docker compose
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [ours, theirs, rounds = '10', ...command] = process.argv.slice(2);
if (theirs === undefined) {
  console.error('usage: node tools/bench-compose.mjs OUR_HOST THEIR_HOST [ROUNDS] [THEIR COMPOSE COMMAND...]');
  process.exit(2);
}
const berth = resolve(fileURLToPath(new URL('../bin/berth', import.meta.url)));
const other = command.length > 0 ? command : ['docker', 'compose'];
const checked = 'init: true, healthcheck: { test: "true", interval: 1s, start_period: 5s, start_interval: 100ms }';
const five = `services:
  db: { image: busybox, command: sleep 600, ${checked}, volumes: ["data:/data"] }
  cache: { image: busybox, command: sleep 600, ${checked} }
  api: { image: busybox, command: sleep 600, init: true, depends_on: { db: { condition: service_healthy }, cache: { condition: service_healthy } } }
  web: { image: busybox, command: sleep 600, init: true, depends_on: [api], ports: ["127.0.0.1::80"] }
  job: { image: busybox, command: sleep 600, init: true }
volumes: { data: {} }
`;
const service = (number) => `  s${number}:
    image: "busybox:\${TAG:-latest}"
    command: ["sleep", "600"]
    environment: { NUMBER: "${number}", NAME: "\${NAME:-x}" }
    ports: ["${8000 + number}:80"]
    volumes: ["data:/data", "./here:/there:ro"]
    depends_on: [${number > 0 ? `s${number - 1}` : ''}]
    healthcheck: { test: ["CMD", "true"], interval: 10s }
    deploy: { resources: { limits: { memory: 64M } } }
`;
const fifty = `services:\n${Array.from({ length: 50 }, (_, number) => service(number)).join('')}volumes: { data: {} }\n`;

const sides = [
  { name: 'bench-ours', host: ours, command: [berth, 'compose'], directory: '' },
  { name: 'bench-theirs', host: theirs, command: other, directory: '' },
];
for (const side of sides) {
  side.directory = mkdtempSync(join(tmpdir(), `${side.name}-`));
  writeFileSync(join(side.directory, 'compose.yaml'), five);
  writeFileSync(join(side.directory, 'fifty.yaml'), fifty);
}
const times = new Map();

/** Runs one command and notes how long it took. */
function run({ name, host, command: [program, ...first], directory }, label, ...words) {
  const began = process.hrtime.bigint();
  const options = { cwd: directory, env: { ...process.env, DOCKER_HOST: host }, encoding: 'utf8' };
  const { status, stderr } = spawnSync(program, [...first, '-p', name, ...words], options);
  if (status !== 0) throw new Error(`${label}: exit ${status}: ${stderr}`);
  const key = `${label}\0${name}`;
  times.set(key, [...(times.get(key) ?? []), Number(process.hrtime.bigint() - began) / 1e6]);
}

const work = [
  ['version', 'version'],
  ['up -d, 5 services, 2 health checks', 'up', '-d'],
  ['up -d, nothing changed', 'up', '-d'],
  ['ps', 'ps'],
  ['down', 'down', '-v', '-t', '1'],
  ['config, 50 services', '-f', 'fifty.yaml', 'config', '-q'],
];
try {
  for (let round = 0; round <= Number(rounds); round++) {
    if (round === 1) times.clear(); // The first round warms up.
    for (const [label, ...words] of work) for (const side of sides) run(side, label, ...words);
  }
} finally {
  for (const side of sides) rmSync(side.directory, { recursive: true, force: true });
}
const median = (key) => {
  const sorted = [...times.get(key)].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], least: sorted[0] };
};
console.log('| workload | theirs | ours | ratio | least of ours |\n| --- | --: | --: | --: | --: |');
for (const [label] of work) {
  const [mine, other] = sides.map(({ name }) => median(`${label}\0${name}`));
  const ratio = (mine.median / other.median).toFixed(2);
  console.log(
    `| ${label} | ${other.median.toFixed(0)} | ${mine.median.toFixed(0)} | ${ratio} | ${mine.least.toFixed(0)} |`,
  );
}
