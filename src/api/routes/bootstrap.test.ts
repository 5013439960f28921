import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { invalid } from '#base';
import type { BootstrapSpec, Image } from '#image';
import { startTestServer } from '../testing/fake-ports.ts';

async function post(socketPath: string, path: string): Promise<{ status: number | undefined; lines: unknown[] }> {
  const sent = request({ socketPath, path, method: 'POST' }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString().trim().split('\n');
  return { status: response.statusCode, lines: lines.map((line) => JSON.parse(line)) };
}

describe('POST /berth/bootstrap', () => {
  it('hands on what to make, and streams the output and the id of the image', async () => {
    let asked: BootstrapSpec | undefined;
    await using api = await startTestServer({
      bootstrap: {
        make: async (spec, { onLine }) => {
          asked = spec;
          onLine('I: success');
          const made: Pick<Image, 'id'> = { id: 'sha256:ab' };
          return made as Image;
        },
      },
    });
    const answer = await post(api.path, '/v1.51/berth/bootstrap?name=debian:sid-slim&include=curl,jq&suite=sid');
    assert.deepEqual(asked, { name: 'debian:sid-slim', include: ['curl', 'jq'], suite: 'sid' });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.lines.slice(0, 2), [
      { stream: 'I: success\n' },
      { progressDetail: {}, aux: { ID: 'sha256:ab' } },
    ]);
  });

  it('answers a bad request with its own status before anything was streamed', async () => {
    await using api = await startTestServer({
      bootstrap: {
        make: async () => {
          throw invalid('"!" is not the name of a release');
        },
      },
    });
    assert.deepEqual(await post(api.path, '/berth/bootstrap?name=debian:x'), {
      status: 400,
      lines: [{ message: '"!" is not the name of a release' }],
    });
    assert.equal((await post(api.path, '/berth/bootstrap')).status, 400);
  });
});
