import { messageOf } from '#base';

/** More than an error's text: a value, sent as JSON, and the name of its type. */
export interface StatusDetail {
  readonly type: string;
  readonly value: object;
}

/** An error that tells the other end of a call more than its text. */
export class DetailedError extends Error {
  readonly details: readonly StatusDetail[];

  constructor(cause: unknown, details: readonly StatusDetail[]) {
    super(messageOf(cause), { cause });
    this.name = 'DetailedError';
    this.details = details;
  }
}
