import protobuf from 'protobufjs/light.js';
import { BerthError, type ErrorKind, isBerthError, messageOf } from '#base';
import { DetailedError } from './detailed-error.ts';
import { codec } from './session-methods.ts';

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
  /** An encoded `google.rpc.Status` that tells more. */
  readonly details?: Uint8Array;
}

interface RichStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly { readonly type_url: string; readonly value: Uint8Array }[];
}

const richStatus = codec<RichStatus>(
  protobuf.Root.fromJSON({
    nested: {
      Any: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
      Status: {
        fields: {
          code: { type: 'int32', id: 1 },
          message: { type: 'string', id: 2 },
          details: { rule: 'repeated', type: 'Any', id: 3 },
        },
      },
    },
  }),
  'Status',
);

/** The status that tells the other end of anything thrown; what is no {@link BerthError} is `UNKNOWN`. */
export function statusOfError(error: unknown): GrpcStatus {
  if (error instanceof DetailedError) {
    const { code, message } = statusOfError(error.cause);
    const details = error.details.map(({ type, value }) => ({
      type_url: type,
      value: Buffer.from(JSON.stringify(value)),
    }));
    return { code, message, details: richStatus.encode({ code, message, details }) };
  }
  return { code: isBerthError(error) ? codeOfKind[error.kind] : grpcCode.unknown, message: messageOf(error) };
}

/** The error for a status of the other end; `details.grpcCode` is the code. */
export function errorOfStatus({ code, message }: GrpcStatus): BerthError {
  const text = message === '' ? `the other end failed with gRPC code ${code}` : message;
  return new BerthError(kindOfCode[code] ?? 'unavailable', text, { details: { grpcCode: code } });
}

/** The headers that carry a status; the text is percent-encoded UTF-8 (PROTOCOL-HTTP2, "Status-Message"). */
export function statusHeaders({ code, message, details }: GrpcStatus): Record<string, string> {
  if (message === '') return { 'grpc-status': String(code) };
  const bytes = [...Buffer.from(message.slice(0, maxMessage), 'utf8')];
  const encoded = bytes.map((byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return {
    'grpc-status': String(code),
    'grpc-message': encoded.join(''),
    ...(details === undefined || details.length > maxDetails
      ? {}
      : { 'grpc-status-details-bin': Buffer.from(details).toString('base64') }),
  };
}

/** More would not fit into the headers that peers accept. Characters. */
const maxMessage = 2000;

/** Details beyond this are left out, for the same reason. Bytes. */
const maxDetails = 30_000;

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
