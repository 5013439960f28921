import { connect, type Socket } from 'node:net';
import { invalid, unavailable } from '#base';
import type { MessageStream } from '#buildkit';

/** Bytes in the way they travel on a session. */
interface Piece {
  data: Uint8Array;
}

/** What a build may ask of an agent: the list of keys, and a signature (draft-miller-ssh-agent, sections 4.4 and 4.5). */
const allowed = new Set([11, 13]);
/** SSH_AGENT_FAILURE, as a whole message. */
const refusal = Buffer.from([0, 0, 0, 1, 5]);
/** Longest message of an agent, as OpenSSH has it. Bytes. */
const maxMessage = 256 * 1024;

/** Takes a stream of bytes apart into agent messages, each with its length in front. Throws `invalid` for one too long. */
async function* agentMessages(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length === 0 || length > maxMessage) throw invalid(`a message of ${length} bytes is none of an ssh agent`);
      if (rest.length < length + 4) break;
      yield rest.subarray(0, length + 4);
      rest = rest.subarray(length + 4);
    }
  }
}

async function* dataOf(pieces: AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
  for await (const { data } of pieces) yield data;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error) => reject(unavailable(`ssh agent ${path}: ${error.message}`, { cause: error })));
    socket.once('connect', () => {
      socket.removeAllListeners('error').on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/**
 * Connects a build with the agent that listens at `path`, one question and its answer at a time. A build may list keys and
 * have something signed; all else (adding, removing and locking of keys) is refused, since the agent is the user's own.
 * Throws `unavailable` where no agent answers.
 */
export async function forwardAgent(
  stream: MessageStream<Piece, Piece>,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const socket = await connected(path);
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answers = agentMessages(socket);
    for await (const question of agentMessages(dataOf(stream.received))) {
      if (!allowed.has(question.readUInt8(4))) {
        await stream.send({ data: refusal });
        continue;
      }
      socket.write(question);
      const { value, done } = await answers.next();
      if (done) throw unavailable(`ssh agent ${path} ended the connection`);
      await stream.send({ data: value });
    }
  } finally {
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}
