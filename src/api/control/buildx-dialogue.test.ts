import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notFound } from '#base';
import type { BuildRequest } from '#builder';
import {
  buildIdKey,
  connectGrpc,
  controlMethods,
  type GrpcCaller,
  gatewayMethods,
  type Method,
  serveGrpc,
} from '#buildkit';
import { buildxDialogue, type RecordedCall } from '../testing/buildx-dialogue.ts';
import { startTestServer } from '../testing/fake-ports.ts';
import { filesHandler, upgrade } from '../testing/session-client.ts';

const imageId = `sha256:${'1'.repeat(64)}` as const;
const bytes = { encode: (message: Uint8Array) => message, decode: (message: Uint8Array) => message };

/** Sends a recorded question and collects what is answered. */
async function replay(caller: GrpcCaller, call: RecordedCall, message: Uint8Array): Promise<Uint8Array[]> {
  const method: Method<Uint8Array, Uint8Array> = { path: call.path, question: bytes, answer: bytes };
  const metadata = call.build === undefined ? {} : { [buildIdKey]: [call.build] };
  const stream = caller.open(method, { metadata });
  await stream.send(message);
  stream.end();
  const answers: Uint8Array[] = [];
  for await (const answer of stream.received) answers.push(answer);
  return answers;
}

test('a recorded dialogue of buildx builds as it did', async (t) => {
  let asked: BuildRequest | undefined;
  await using server = await startTestServer({
    builder: {
      build: (given) => {
        asked = given;
        given.context.resume();
        return Promise.resolve({ imageId });
      },
    },
    networks: { get: () => Promise.reject(notFound('network bridge not found')) },
  });
  const solves = buildxDialogue.filter(({ path }) => path === controlMethods.solve.path);
  for (const { message } of solves) {
    const { Session } = controlMethods.solve.question.decode(Buffer.from(message, 'base64'));
    const socket = await upgrade(server.path, '/session', { 'x-docker-expose-session-uuid': Session });
    serveGrpc(socket, [filesHandler({ dockerfile: { 'Dockerfile.opts': 'FROM x\n' }, context: {} }, [])]);
  }
  const caller = connectGrpc(await upgrade(server.path, '/grpc'));
  t.after(() => caller.close());

  const underWay: { readonly path: string; readonly answers: Promise<Uint8Array[]> }[] = [];
  let ref = '';
  for (const call of buildxDialogue) {
    let message: Uint8Array = Buffer.from(call.message, 'base64');
    if (call.path === gatewayMethods.return.path && ref !== '') {
      const { result } = gatewayMethods.return.question.decode(message);
      assert.ok(result?.ref?.def);
      // Ids of results are made anew each time.
      const answer = { error: null, result: { refs: null, ref: { ...result.ref, id: ref } } };
      message = gatewayMethods.return.question.encode(answer);
    }
    const answers = replay(caller, call, message);
    if (call.path === controlMethods.solve.path || call.path === controlMethods.status.path) {
      underWay.push({ path: call.path, answers });
      continue;
    }
    const [answer] = await answers;
    if (call.path === gatewayMethods.solve.path && answer !== undefined) {
      ref = gatewayMethods.solve.answer.decode(answer).result.ref?.id ?? '';
    }
  }
  const solved: unknown[] = [];
  for (const { path, answers } of underWay) {
    const found = await answers;
    if (path === controlMethods.solve.path) {
      solved.push(...found.map((answer) => controlMethods.solve.answer.decode(answer).ExporterResponse));
    }
  }
  const names = 'docker.io/library/bkc:y,docker.io/library/bkc:z';
  assert.deepEqual(solved, [
    {},
    { 'containerimage.digest': imageId, 'containerimage.config.digest': imageId, 'image.name': names },
  ]);
  assert.deepEqual(asked?.tags, ['bkc:y', 'bkc:z']);
  assert.deepEqual(asked?.buildArgs, { X: '1' });
  assert.deepEqual(Object.keys(asked?.contexts ?? {}).sort(), ['im', 'nc']);
  assert.deepEqual([asked?.networkMode, asked?.extraHosts, asked?.shmSize], ['none', ['h:1.2.3.4'], 64 << 20]);
});
