import { open } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Opens a connection to an ssh agent; `signal` says that nobody wants it any more. */
export type Connect = (signal: AbortSignal) => Promise<Duplex>;

/** Connections of one step at a time; further ones are closed at once. */
const mostConnections = 128;

/** A unix socket each of whose connections becomes a new one to an ssh agent. */
export class AgentSocket {
  readonly #server: Server;
  readonly #connect: Connect;
  readonly #open = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #release: () => Promise<void>;

  private constructor(server: Server, connect: Connect, release: () => Promise<void>) {
    this.#server = server;
    this.#connect = connect;
    this.#release = release;
    server.on('connection', (socket) => {
      const forwarded = this.#forward(socket).finally(() => this.#open.delete(forwarded));
      this.#open.add(forwarded);
    });
  }

  /** Listens at `path`, of any length. Throws what listening throws. */
  static async listen(path: string, connect: Connect): Promise<AgentSocket> {
    // The directory's descriptor stands in for its path: sun_path holds only 108 bytes.
    const directory = await open(dirname(path), 'r');
    const server = createServer({ allowHalfOpen: true });
    server.maxConnections = mostConnections;
    try {
      const short = `/proc/self/fd/${directory.fd}/${basename(path)}`;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(short, resolve);
      });
    } catch (error) {
      await directory.close();
      throw error;
    }
    return new AgentSocket(server, connect, () => directory.close());
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#ended.abort();
    await Promise.all(this.#open);
    await closed;
    await this.#release();
  }

  /** Bytes go both ways as fast as the slower end takes them; an end that has said all is told to the other. */
  async #forward(socket: Socket): Promise<void> {
    const { signal } = this.#ended;
    // Until the agent answers nobody else listens for a failure of the step's end.
    socket.on('error', () => {});
    try {
      const agent = await this.#connect(signal);
      const ways = [pipeline(socket, agent, { signal }), pipeline(agent, socket, { signal })];
      const end = () => {
        socket.destroy();
        agent.destroy();
      };
      await Promise.all(ways.map((way) => way.catch(end)));
      end();
    } catch {
      // The agent cannot be reached: the command finds its connection closed.
      socket.destroy();
    }
  }
}
