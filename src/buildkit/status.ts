import { BerthError, type ErrorKind, isBerthError, messageOf } from '#base';

/** gRPC's status codes that are named here (grpc/grpc doc/statuscodes.md). */
export const grpcCode = { ok: 0, unknown: 2, deadlineExceeded: 4, unimplemented: 12, internal: 13, unavailable: 14 };

const codeOfKind: Readonly<Record<ErrorKind, number>> = {
  canceled: 1,
  invalid: 3,
  timeout: 4,
  'not-found': 5,
  conflict: 6,
  forbidden: 7,
  'not-modified': 9,
  'not-implemented': 12,
  internal: 13,
  unavailable: 14,
  unauthorized: 16,
};

/** By code; what is not listed says that the other end failed in a way of its own. */
const kindOfCode: Readonly<Record<number, ErrorKind>> = {
  1: 'canceled',
  3: 'invalid',
  4: 'timeout',
  5: 'not-found',
  6: 'conflict',
  7: 'forbidden',
  9: 'conflict',
  10: 'conflict',
  11: 'invalid',
  12: 'not-implemented',
  16: 'unauthorized',
};

/** How a call ends: a gRPC code, and text where it is an error. */
export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
}

/** The status that tells the other end of anything thrown; what is no {@link BerthError} is `UNKNOWN`. */
export function statusOfError(error: unknown): GrpcStatus {
  return { code: isBerthError(error) ? codeOfKind[error.kind] : grpcCode.unknown, message: messageOf(error) };
}

/** The error for a status of the other end; `details.grpcCode` is the code. */
export function errorOfStatus({ code, message }: GrpcStatus): BerthError {
  const text = message === '' ? `the other end failed with gRPC code ${code}` : message;
  return new BerthError(kindOfCode[code] ?? 'unavailable', text, { details: { grpcCode: code } });
}

/** The headers that carry a status; the text is percent-encoded UTF-8 (PROTOCOL-HTTP2, "Status-Message"). */
export function statusHeaders({ code, message }: GrpcStatus): Record<string, string> {
  if (message === '') return { 'grpc-status': String(code) };
  const bytes = [...Buffer.from(message.slice(0, maxMessage), 'utf8')];
  const encoded = bytes.map((byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return { 'grpc-status': String(code), 'grpc-message': encoded.join('') };
}

/** More would not fit into the headers that peers accept. Characters. */
const maxMessage = 2000;

/** Reads a status out of headers; undefined where they hold none. */
export function readStatus(headers: Readonly<Record<string, unknown>>): GrpcStatus | undefined {
  const code = headers['grpc-status'];
  if (code === undefined) return undefined;
  const number = typeof code === 'string' && /^\d{1,3}$/.test(code) ? Number(code) : grpcCode.unknown;
  const message = headers['grpc-message'];
  return { code: number, message: typeof message === 'string' ? decodePercent(message) : '' };
}

/** Undoes percent-encoding; what is no valid escape stays as it is. */
function decodePercent(text: string): string {
  const latin = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin, 'latin1').toString('utf8');
}
