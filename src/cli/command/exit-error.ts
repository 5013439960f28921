/** Ends the command with `code` after printing `message` (when not empty) to stderr exactly as it is. */
export class ExitError extends Error {
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.name = 'ExitError';
    this.code = code;
  }
}
