/** Command lines in a project of their own; `$C` is the command under test. They run in order. */
export interface Scenario {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly string[];
}

const serve = `sh -c "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"`;

const pair = `services:
  web:
    image: busybox
    command: ${serve}
    depends_on: [db]
    ports: ["80"]
    labels: { l1: x }
    environment: { COLOUR: blue }
    volumes: [data:/data]
  db:
    image: busybox
    command: ${serve}
    scale: 2
  off:
    image: busybox
    profiles: [tools]
    command: ${serve}
volumes: { data: {} }
`;

const ending = `services:
  a:
    image: busybox
    command: sh -c "echo a1; sleep 0.5; echo a2 >&2; exit 3"
  b:
    image: busybox
    command: ${serve}
  c:
    image: busybox
    depends_on: [a]
    command: ${serve}
  d:
    image: busybox
    profiles: [short]
    command: sh -c "echo d1"
`;

const healthy = `services:
  good:
    image: busybox
    command: ${serve}
    healthcheck: { test: "true", interval: 200ms }
  bad:
    image: busybox
    profiles: [bad]
    command: ${serve}
    healthcheck: { test: "false", interval: 200ms, retries: 1 }
  dependent:
    image: busybox
    profiles: [bad]
    command: ${serve}
    depends_on: { bad: { condition: service_healthy } }
`;

/** What is recorded of docker compose and expected of ours. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'a project from up to down',
    files: { 'compose.yaml': pair, 'less.yaml': `services:\n  db: { image: busybox, command: ${serve}, scale: 2 }\n` },
    steps: [
      '$C up -d',
      '$C up -d',
      '$C ps --format "{{.Name}} {{.Service}} {{.State}} {{.Health}} {{.ExitCode}}"',
      '$C ps --services',
      '$C ps nope',
      '$C ps --filter status=exited --format json',
      '$C ps --filter name=x',
      '$C images --format table | wc -l',
      '$C images -q | wc -c',
      '$C images --format x',
      '$C images nope | wc -l',
      '$C top nope',
      '$C port web 80',
      '$C port web 81',
      '$C port nope 80',
      '$C logs web',
      '$C logs --index 1',
      '$C logs --index 2 web',
      '$C volumes -q',
      '$C volumes --format "{{.Name}} {{.Driver}}"',
      '$C ls -q --filter name=$P',
      '$C ls --filter x=y',
      '$C ls --format nope',
      '$C pause web',
      '$C pause web',
      '$C unpause web',
      '$C unpause web',
      '$C exec web sh -c "echo \\$COLOUR; exit 4"',
      '$C exec --index 3 db true',
      '$C exec nope true',
      'echo text > a.txt; $C cp a.txt db:/tmp/',
      '$C exec --index 2 db cat /tmp/a.txt',
      '$C cp a.txt nope:/tmp/',
      '$C commit nope x',
      '$C export nope',
      '$C scale db=1',
      '$C scale db',
      '$C scale db=x',
      '$C up -d --scale nope=2',
      '$C up -d --scale web',
      '$C up -d --no-deps --force-recreate web',
      '$C restart -t 0 web',
      '$C stop web',
      '$C stop web',
      '$C start web',
      '$C kill -s NOSUCH web',
      '$C kill web',
      '$C rm -f web',
      '$C rm -f',
      '$C kill web',
      '$C up -d --scale db=1',
      '$C -f less.yaml up -d --scale db=1',
      '$C -f less.yaml logs',
      '$C -f less.yaml down',
      '$C up -d --scale db=1',
      '$C -p $P stop',
      '$C -p $P start',
      '$C down db',
      '$C down -v',
      '$C down -v',
      '$C -p $P-none down',
      '$C -p $P-none start',
      '$C wait web',
    ],
  },
  {
    name: 'run',
    files: { 'compose.yaml': pair, 'e.env': 'E1=x\nE2=y z\n', 'src.txt': 'hello\n' },
    steps: [
      '$C run --rm web echo hi',
      '$C run --rm -e E1=own --env-from-file e.env web env | grep ^E | sort',
      '$C run --rm --no-deps web sh -c "exit 5"',
      '$C run -d --name $P-x web',
      '$C run --name $P-x web',
      '$C ls -a --filter name=$P --format json',
      '$C run --rm -l c web true',
      '$C run --rm -v ./src.txt:/s.txt:ro web cat /s.txt',
      '$C run --rm -v $P-other:/d2 web ls -d /d2; docker volume rm $P-other',
      '$C run --rm --pull nope web true',
      '$C run --rm -q web echo q',
      '$C run --rm -P -p 80 web true',
      '$C run --rm --entrypoint "echo ep" web a b',
      '$C run nope',
      '$C down -v --remove-orphans',
    ],
  },
  {
    name: 'attached up',
    files: { 'compose.yaml': ending },
    steps: [
      '$C up --abort-on-container-exit',
      '$C up --exit-code-from b',
      '$C up --exit-code-from a',
      '$C up d',
      '$C up --no-log-prefix --attach d d',
      '$C up --attach nope',
      '$C up --exit-code-from nope',
      '$C up --abort-on-container-exit --abort-on-container-failure',
      '$C up -d --attach a',
      '$C up --wait --abort-on-container-exit',
      '$C up --force-recreate --no-recreate',
      '$C up --build --no-build',
      '$C up --always-recreate-deps --no-recreate',
      '$C up -V --no-recreate',
      '$C up --pull nope',
      '$C down',
    ],
  },
  {
    name: 'health',
    files: { 'compose.yaml': healthy },
    steps: ['$C up --wait', '$C --profile bad up -d dependent 2>&1 | tail -n 1', '$C --profile "*" down'],
  },
  {
    name: 'flags before the command',
    files: {
      'compose.yaml': `services:\n  db: { image: "busybox:\${TAG:-latest}", command: ${serve} }\n`,
      'x.env': 'TAG=latest\n',
      'sub/compose.yml': `services:\n  s: { image: busybox, command: ${serve} }\n`,
    },
    steps: [
      '$C --parallel x ps',
      'COMPOSE_PARALLEL_LIMIT=x $C ps',
      '$C --nope ps',
      '$C --progress nope ps',
      '$C --no-ansi ps -q',
      '$C --workdir sub config --services',
      'COMPOSE_ENV_FILES=x.env $C config --images',
      'COMPOSE_FILE=compose.yaml:sub/compose.yml $C config --services | sort',
      'COMPOSE_FILE=compose.yaml,sub/compose.yml COMPOSE_PATH_SEPARATOR=, $C config --services | sort',
      'cat compose.yaml | $C -f - config --services',
      '$C config --hash nope',
      '$C --progress json up -d',
      'COMPOSE_PROGRESS=quiet $C up -d --force-recreate',
      'COMPOSE_STATUS_STDOUT=1 $C up -d --force-recreate',
      'COMPOSE_IGNORE_ORPHANS=1 $C -f sub/compose.yml --project-directory . up -d',
      'COMPOSE_REMOVE_ORPHANS=1 $C up -d',
      '$C down',
    ],
  },
];
