import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { goMode, type Handler, type Packet, packetType, sessionMethods, streaming } from '#buildkit';

/** Opens a connection that is upgraded to plain HTTP/2 (`/session`, `/grpc`). */
export async function upgrade(
  socketPath: string,
  path: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Socket> {
  const headers = { connection: 'Upgrade', upgrade: 'h2c', ...extra };
  const sent = request({ socketPath, path, method: 'POST', headers });
  sent.end();
  const [answer, socket, head] = (await once(sent, 'upgrade')) as [{ statusCode: number }, Socket, Buffer];
  assert.equal(answer.statusCode, 101);
  socket.unshift(head);
  return socket;
}

/** Answers file sync with a few files; notes the metadata of each call. */
export function filesHandler(trees: Record<string, Record<string, string>>, calls: unknown[]): Handler {
  return streaming<Packet, Packet>(sessionMethods.sendFiles, async (stream) => {
    const [name = ''] = stream.metadata['dir-name'] ?? [];
    calls.push(stream.metadata);
    const followed = stream.metadata.followpaths;
    const files = Object.entries(trees[name] ?? {}).filter(([path]) => followed?.includes(path) ?? true);
    const nothing = new Uint8Array();
    for (const [path, text] of files) {
      const mode = path.endsWith('/') ? goMode.directory + 0o755 : 0o644;
      const stat = { path: path.replace(/\/$/, ''), mode, size: text.length };
      await stream.send({ type: packetType.stat, stat, ID: 0, data: nothing });
    }
    await stream.send({ type: packetType.stat, ID: 0, data: nothing });
    for await (const { type, ID } of stream.received) {
      if (type === packetType.finished) break;
      await stream.send({ type: packetType.data, ID, data: Buffer.from(files[ID]?.[1] ?? '') });
      await stream.send({ type: packetType.data, ID, data: nothing });
    }
    await stream.send({ type: packetType.finished, ID: 0, data: nothing });
  });
}
