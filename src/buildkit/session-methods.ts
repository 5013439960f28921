import protobuf from 'protobufjs/light.js';
import { invalid, messageOf } from '#base';
import type { Codec, Method } from './grpc.ts';

/** Kinds of packets of a file sync (fsutil `types.Packet`). */
export const packetType = { stat: 0, request: 1, data: 2, finished: 3, error: 4 } as const;

/** A file as file sync describes it (fsutil `types.Stat`). */
export interface FileStat {
  /** Relative, with `/`; no leading one. */
  path: string;
  /** Go's `os.FileMode`: permission bits, and kinds in the high bits (directory 1<<31, symlink 1<<27, ...). */
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Nanoseconds since the epoch; beyond 2^53 a double rounds them, which tar's microseconds do not notice. */
  modTime: number;
  linkname: string;
  devmajor: number;
  devminor: number;
  xattrs: Record<string, Uint8Array>;
}

/** One message of a file sync. A `stat` packet without a stat ends the list. */
export interface Packet {
  type: number;
  stat?: Partial<FileStat>;
  /** Which file, counted from 0 in the order of the list. */
  ID: number;
  data: Uint8Array;
}

const map = (type: string, id: number): protobuf.IMapField => ({ keyType: 'string', type, id });

const definitions = protobuf.Root.fromJSON({
  nested: {
    Empty: { fields: {} },
    Bytes: { fields: { data: { type: 'bytes', id: 1 } } },
    SecretRequest: {
      fields: { ID: { type: 'string', id: 1 }, annotations: map('string', 2) },
    },
    AgentRequest: { fields: { ID: { type: 'string', id: 1 } } },
    CredentialsRequest: { fields: { Host: { type: 'string', id: 1 } } },
    Credentials: { fields: { Username: { type: 'string', id: 1 }, Secret: { type: 'string', id: 2 } } },
    HealthRequest: { fields: { service: { type: 'string', id: 1 } } },
    Health: { fields: { status: { type: 'uint32', id: 1 } } },
    Stat: {
      fields: {
        path: { type: 'string', id: 1 },
        mode: { type: 'uint32', id: 2 },
        uid: { type: 'uint32', id: 3 },
        gid: { type: 'uint32', id: 4 },
        size: { type: 'int64', id: 5 },
        modTime: { type: 'int64', id: 6 },
        linkname: { type: 'string', id: 7 },
        devmajor: { type: 'int64', id: 8 },
        devminor: { type: 'int64', id: 9 },
        xattrs: map('bytes', 10),
      },
    },
    Packet: {
      fields: {
        type: { type: 'uint32', id: 1 },
        stat: { type: 'Stat', id: 2 },
        ID: { type: 'uint32', id: 3 },
        data: { type: 'bytes', id: 4 },
      },
    },
  },
});

/** The codec of a message that is defined by name in `root`; absent fields decode to their zero values. */
export function codec<T extends object>(root: protobuf.Root, name: string): Codec<T> {
  const type = root.lookupType(name);
  return {
    encode: (message) => type.encode(type.fromObject(message)).finish(),
    decode: (bytes) => {
      try {
        return type.toObject(type.decode(bytes), { longs: Number, defaults: true, objects: true }) as T;
      } catch (cause) {
        throw invalid(`not a message of type ${name}: ${messageOf(cause)}`, { cause });
      }
    },
  };
}

const define = <Question extends object, Answer extends object>(
  path: string,
  question: string,
  answer: string,
): Method<Question, Answer> => ({
  path,
  question: codec<Question>(definitions, question),
  answer: codec<Answer>(definitions, answer),
});

/** What the engine asks of a client's session (`moby.buildkit.*`, API of BuildKit 0.9 and later). */
export const sessionMethods = {
  health: define<{ service: string }, { status: number }>('/grpc.health.v1.Health/Check', 'HealthRequest', 'Health'),
  getSecret: define<{ ID: string }, { data: Uint8Array }>(
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    'SecretRequest',
    'Bytes',
  ),
  checkAgent: define<{ ID: string }, object>('/moby.sshforward.v1.SSH/CheckAgent', 'AgentRequest', 'Empty'),
  /** Bytes of an agent's connection, both ways; metadata `buildkit.ssh.id` says which agent. */
  forwardAgent: define<{ data: Uint8Array }, { data: Uint8Array }>(
    '/moby.sshforward.v1.SSH/ForwardAgent',
    'Bytes',
    'Bytes',
  ),
  /** The client sends files; metadata `dir-name`, `include-patterns`, `exclude-patterns`, `followpaths` say which. */
  sendFiles: define<Packet, Packet>('/moby.filesync.v1.FileSync/DiffCopy', 'Packet', 'Packet'),
  /** The client takes files, of which the caller sends the list. */
  takeFiles: define<Packet, Packet>('/moby.filesync.v1.FileSend/DiffCopy', 'Packet', 'Packet'),
  /** The client takes a file, in parts; by the same path as {@link takeFiles}, as the client knows what it has asked for. */
  takeArchive: define<{ data: Uint8Array }, { data: Uint8Array }>(
    '/moby.filesync.v1.FileSend/DiffCopy',
    'Bytes',
    'Bytes',
  ),
  /** The client sends an archive that it holds for the engine; metadata `urlpath` and `urlhost` say which. */
  pullUpload: define<{ data: Uint8Array }, { data: Uint8Array }>('/moby.upload.v1.Upload/Pull', 'Bytes', 'Bytes'),
  credentials: define<{ Host: string }, { Username: string; Secret: string }>(
    '/moby.filesync.v1.Auth/Credentials',
    'CredentialsRequest',
    'Credentials',
  ),
} as const;
