/// <reference path="../../../src/network/dns/dns-packet.d.ts" />
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import * as packet from 'dns-packet';

/** Names that exist outside, with their addresses. */
export type Zone = Readonly<Record<string, { readonly A?: readonly string[]; readonly AAAA?: readonly string[] }>>;

/** A DNS server on the host's loopback that answers from a zone, and cuts answers to 512 bytes over UDP. Ends on dispose. */
export class Upstream implements Disposable {
  readonly address = '127.53.53.53';
  /** Names that were asked for. */
  readonly asked: string[] = [];
  readonly #zone: Zone;
  readonly #udp: UdpSocket = createSocket('udp4');
  readonly #tcp: Server;

  private constructor(zone: Zone) {
    this.#zone = zone;
    this.#udp.on('message', (message, from) => {
      const answer = this.#answer(message);
      const cut = answer.length > 512 ? this.#answer(message, true) : answer;
      this.#udp.send(cut, from.port, from.address);
    });
    this.#tcp = createServer((client) => {
      client.on('error', () => client.destroy());
      client.on('data', (chunk) => {
        const answer = this.#answer(chunk.subarray(2));
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        client.end(Buffer.concat([length, answer]));
      });
    });
  }

  static async start(zone: Zone): Promise<Upstream> {
    const upstream = new Upstream(zone);
    await new Promise<void>((resolve) => upstream.#udp.bind(53, upstream.address, resolve));
    await new Promise<void>((resolve) => upstream.#tcp.listen(53, upstream.address, resolve));
    return upstream;
  }

  [Symbol.dispose](): void {
    this.#udp.close();
    this.#tcp.close();
  }

  #answer(message: Buffer, truncated = false): Buffer {
    const query = packet.decode(message);
    const { name = '', type = '' } = query.questions?.[0] ?? {};
    this.asked.push(name.toLowerCase());
    const entry = this.#zone[name.toLowerCase()];
    const addresses = entry?.[type as 'A' | 'AAAA'] ?? [];
    const nxdomain = entry === undefined ? 3 : 0;
    return packet.encode({
      id: query.id ?? 0,
      type: 'response',
      flags:
        packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | nxdomain | (truncated ? packet.TRUNCATED_RESPONSE : 0),
      questions: query.questions ?? [],
      answers: truncated ? [] : addresses.map((data) => ({ name, type, ttl: 60, data })),
    });
  }
}
