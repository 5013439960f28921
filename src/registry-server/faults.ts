import { BerthError, type ErrorKind } from '#base';

/** Error codes of the distribution-spec ("Error codes"), with the kind that each stands for. */
const kinds = {
  BLOB_UNKNOWN: 'not-found',
  BLOB_UPLOAD_INVALID: 'invalid',
  BLOB_UPLOAD_UNKNOWN: 'not-found',
  DIGEST_INVALID: 'invalid',
  MANIFEST_BLOB_UNKNOWN: 'invalid',
  MANIFEST_INVALID: 'invalid',
  MANIFEST_UNKNOWN: 'not-found',
  NAME_INVALID: 'invalid',
  NAME_UNKNOWN: 'not-found',
  SIZE_INVALID: 'invalid',
  UNAUTHORIZED: 'unauthorized',
  DENIED: 'forbidden',
  UNSUPPORTED: 'not-implemented',
  TOOMANYREQUESTS: 'unavailable',
  /** Docker's code for a page size or position that makes no sense. */
  PAGINATION_NUMBER_INVALID: 'invalid',
  /** Docker's code for what is wrong outside the request. */
  UNAVAILABLE: 'unavailable',
} as const satisfies Record<string, ErrorKind>;

/** A code of the distribution-spec's table of errors. */
export type FaultCode = keyof typeof kinds;

/** An error that a registry's client sees: a code of the spec, a sentence, and facts in `details`. */
export class RegistryFault extends BerthError {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, details: Record<string, unknown> = {}) {
    super(kinds[code], message, { details });
    this.name = 'RegistryFault';
    this.code = code;
  }
}

/** Makes a {@link RegistryFault}. */
export function fault(code: FaultCode, message: string, details?: Record<string, unknown>): RegistryFault {
  return new RegistryFault(code, message, details);
}
