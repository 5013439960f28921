import { BerthError, type ErrorKind } from '#base';

const kinds: Readonly<Record<number, ErrorKind>> = {
  304: 'not-modified',
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  406: 'invalid',
  409: 'conflict',
  501: 'not-implemented',
  503: 'unavailable',
};

/** The daemon answered, and said no. `message` is the daemon's own. */
export class ApiError extends BerthError {
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(kinds[status] ?? 'internal', message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** No daemon answers at the address. `code` is the system's (`ECONNREFUSED`, `ENOENT`, `EACCES`, ...). */
export class ConnectError extends BerthError {
  readonly address: string;
  readonly code: string;

  constructor(address: string, code: string, cause: Error) {
    const message =
      code === 'EACCES'
        ? `permission denied while trying to connect to the Docker daemon socket at ${address}`
        : code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ETIMEDOUT'
          ? `Cannot connect to the Docker daemon at ${address}. Is the docker daemon running?`
          : `error during connect: ${address}: ${cause.message}`;
    super('unavailable', message, { cause });
    this.name = 'ConnectError';
    this.address = address;
    this.code = code;
  }
}
