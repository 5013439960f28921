/** Newest API version that the engine speaks; also what our client asks for where the server does not say less. */
export const apiVersion = '1.51';

/** Oldest API version that the engine still answers. */
export const minApiVersion = '1.24';

/** How Go writes a time that never was; clients test for it. */
export const zeroTime = '0001-01-01T00:00:00Z';

/** Media types of attach, exec and log streams: framed by 8-byte headers, or a terminal's plain bytes. */
export const streamTypes = {
  multiplexed: 'application/vnd.docker.multiplexed-stream',
  raw: 'application/vnd.docker.raw-stream',
} as const;

/** First byte of a frame header in a multiplexed stream: whose bytes follow. */
export const frameStreams = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const;

/** Bytes of a frame header: stream, three zeros, big-endian length. */
export const frameHeaderSize = 8;

/** The body of create calls that answer with nothing but an id. */
export interface IdResponse {
  Id: string;
}
