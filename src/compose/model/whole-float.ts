/**
 * A floating-point number without a fraction, such as `1.0` or `1e3`. JavaScript cannot tell it from an integer, but
 * docker compose does: it prints large ones with an exponent and takes none where it wants an integer.
 */
export class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** What `JSON.stringify` writes. */
  toJSON(): number {
    return this.value;
  }
}
