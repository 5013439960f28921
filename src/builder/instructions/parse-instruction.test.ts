import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DockerfileFaults } from '../dockerfile-error.ts';
import { parseDockerfile } from '../parser/parse-dockerfile.ts';
import { parseInstruction } from './parse-instruction.ts';

function parse(text: string): Record<string, unknown> {
  const { nodes, directives } = parseDockerfile(text);
  const [first] = nodes;
  assert.ok(first);
  const { node: _, ...body } = parseInstruction(first, directives.escape, new DockerfileFaults('Dockerfile'));
  return { ...body };
}

const accepted: [string, Record<string, unknown>][] = [
  ['FROM a', { kind: 'from', image: 'a', name: undefined, platform: undefined }],
  ['from --platform=linux/arm64 a:1 as Build', { kind: 'from', image: 'a:1', name: 'build', platform: 'linux/arm64' }],
  [
    'ARG a b=1 c="x y"',
    {
      kind: 'arg',
      args: [
        { key: 'a', value: undefined },
        { key: 'b', value: '1' },
        { key: 'c', value: '"x y"' },
      ],
    },
  ],
  ['ENV a b  c "d"  e', { kind: 'env', pairs: [{ key: 'a', value: 'b  c "d"  e' }] }],
  [
    'LABEL a=1 b="c d"',
    {
      kind: 'label',
      pairs: [
        { key: 'a', value: '1' },
        { key: 'b', value: '"c d"' },
      ],
    },
  ],
  ['CMD a "b"', { kind: 'cmd', command: { form: 'shell', words: ['a "b"'] } }],
  ['CMD ["a", "b"]', { kind: 'cmd', command: { form: 'exec', words: ['a', 'b'] } }],
  ['CMD ["a"] b', { kind: 'cmd', command: { form: 'shell', words: ['["a"] b'] } }],
  ['ENTRYPOINT []', { kind: 'entrypoint', command: { form: 'exec', words: [] } }],
  ['SHELL ["/bin/bash", "-c"]', { kind: 'shell', words: ['/bin/bash', '-c'] }],
  ['EXPOSE 80 90/udp', { kind: 'expose', ports: ['80', '90/udp'] }],
  ['VOLUME ["/a b"]', { kind: 'volume', paths: ['/a b'] }],
  ['VOLUME /a /b', { kind: 'volume', paths: ['/a', '/b'] }],
  ['WORKDIR /a b', { kind: 'workdir', path: '/a b' }],
  ['STOPSIGNAL 9', { kind: 'stopsignal', signal: '9' }],
  ['MAINTAINER A B <c>', { kind: 'maintainer', name: 'A B <c>' }],
  ['ONBUILD   run   echo  hi', { kind: 'onbuild', trigger: 'run   echo  hi' }],
  [
    'HEALTHCHECK --interval=5s --retries=3 CMD ["x"]',
    {
      kind: 'healthcheck',
      command: { form: 'exec', words: ['x'] },
      interval: 5e9,
      timeout: 0,
      startPeriod: 0,
      startInterval: 0,
      retries: 3,
    },
  ],
  [
    'COPY --from=b --chown=1:2 --exclude=*.o --exclude=x a b /c/',
    {
      kind: 'copy',
      sources: ['a', 'b'],
      destination: '/c/',
      chown: '1:2',
      chmod: undefined,
      link: false,
      exclude: ['*.o', 'x'],
      heredocs: [],
      from: 'b',
      parents: false,
    },
  ],
];

for (const [text, body] of accepted) {
  test(`parseInstruction reads ${text}`, () => assert.deepEqual(parse(text), body));
}

const refused: [string, string][] = [
  ['FOO a', 'unknown instruction: FOO (did you mean FROM?)'],
  ['QQQQQQ a', 'unknown instruction: QQQQQQ'],
  ['FROM', 'FROM requires either one or three arguments'],
  ['FROM a b', 'FROM requires either one or three arguments'],
  ['FROM a IS b', 'FROM requires either one or three arguments'],
  ['COPY', 'COPY requires at least two arguments, but only one was provided. Destination could not be determined'],
  ['ADD a', 'ADD requires at least two arguments, but only one was provided. Destination could not be determined'],
  ['ENV', 'ENV requires at least one argument'],
  ['ENV =1', 'ENV names can not be blank'],
  ['ARG =1', 'ARG names can not be blank'],
  ['EXPOSE', 'EXPOSE requires at least one argument'],
  ['WORKDIR', 'WORKDIR requires exactly one argument'],
  ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
  ['SHELL /bin/sh', 'SHELL requires the arguments to be in JSON form'],
  ['SHELL []', 'SHELL requires at least one argument'],
  ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
  ['HEALTHCHECK x', 'Unknown type "X" in HEALTHCHECK (try CMD)'],
  ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
  ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
  ['ONBUILD', 'ONBUILD requires at least one argument'],
  ['ONBUILD ONBUILD x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
];

for (const [text, message] of refused) {
  test(`parseInstruction refuses ${text}`, () => {
    const keyword = text.split(' ')[0] ?? '';
    assert.throws(() => parse(text), {
      kind: 'invalid',
      message: `dockerfile parse error on line 1: ${message}`,
      details: { file: 'Dockerfile', line: 1, instruction: keyword },
    });
  });
}

const named: [string, string][] = [
  ['FROM a AS 1a', `invalid name for build stage: "1a", name can't start with a number or contain symbols`],
  ['COPY --foo a b', 'unknown flag: --foo (did you mean from?)'],
  ['COPY --chwn=1 a b', 'unknown flag: --chwn (did you mean chown?)'],
  ['COPY --from a b', 'missing a value on flag: --from'],
  ['COPY --link=x a b', 'expecting boolean value for flag --link, not: x'],
  ['COPY --from=a --from=b a b', 'duplicate flag specified: --from'],
  ['CMD --x', 'unknown flag: --x'],
  ['HEALTHCHECK --interval=x CMD a', 'time: invalid duration "x"'],
  ['HEALTHCHECK --interval=1us CMD a', 'Interval "interval" cannot be less than 1ms'],
  ['HEALTHCHECK --retries=x CMD a', 'strconv.ParseInt: parsing "x": invalid syntax'],
  ['HEALTHCHECK --retries=-1 CMD a', '--retries cannot be negative (-1)'],
  ['RUN --network=foo x', 'invalid network mode "foo"'],
  ['RUN --mount=type=foo x', 'unsupported mount type "foo"'],
  ['RUN --mount=type=cache x', 'target is required in "--mount"'],
  ['RUN --mount=type=bind,target=/ x', 'invalid mount target "/"'],
  ['RUN --mount=type=bind,target=/a,size=1 x', `unexpected key 'size' for mount type 'bind'`],
  ['RUN --mount=type=cache,targt=/a x', `unexpected key 'targt' in 'targt=/a' (did you mean target?)`],
];

for (const [text, message] of named) {
  test(`parseInstruction refuses ${text} and says what the text leaves out`, () => {
    assert.throws(() => parse(text), {
      kind: 'invalid',
      message: new RegExp(`^dockerfile parse error on line 1: ${literal(message)}`),
    });
  });
}

test('parseInstruction reports syntax errors of pairs and arrays with their place', () => {
  assert.throws(() => parse('ENV a'), {
    message: /failed to parse Dockerfile: ENV must have two arguments \(Dockerfile line 1: ENV\)/,
  });
  assert.throws(() => parse('LABEL a=1 b'), {
    message: /Syntax error - can't find = in "b". Must be of the form: name=value/,
  });
  assert.throws(() => parse('CMD ["a", 1]'), { message: /arrays must be comprised of strings only/ });
});

test('parseInstruction fills in the defaults of RUN --mount', () => {
  const { mounts } = parse(
    'RUN --mount=type=cache,dst=/c,id=x,mode=0700,sharing=locked --mount=target=/b,rw --mount=type=tmpfs,target=/t,size=1m x',
  );
  assert.ok(Array.isArray(mounts));
  const brief = mounts.map(({ type, target, readonly, sharing, mode, size, id }) => [
    type,
    target,
    readonly,
    sharing,
    mode,
    size,
    id,
  ]);
  assert.deepEqual(brief, [
    ['cache', '/c', false, 'locked', '0700', undefined, 'x'],
    ['bind', '/b', false, 'shared', undefined, undefined, undefined],
    ['tmpfs', '/t', false, 'shared', undefined, 1048576, undefined],
  ]);
});

test('parseInstruction takes here-documents out of the sources of COPY', () => {
  const body = parse('COPY a <<E /d/\nhi\nE\n');
  assert.deepEqual(body.sources, ['a']);
  assert.deepEqual(body.heredocs, [{ name: 'E', fd: 0, expand: true, chomp: false, content: 'hi\n' }]);
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
