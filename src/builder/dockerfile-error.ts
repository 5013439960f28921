import { type BerthError, invalid } from '#base';

/** Makes the errors of one Dockerfile; each carries file, line and instruction in its details too. */
export class DockerfileFaults {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** The text cannot be split into instructions (`failed to parse Dockerfile: ...`). */
  syntax(text: string, line: number, instruction: string): BerthError {
    return this.#make(`failed to parse Dockerfile: ${text} (${this.#file} line ${line}: ${instruction})`, line, {
      instruction,
    });
  }

  /** An instruction is malformed (`dockerfile parse error on line N: ...`). */
  instruction(text: string, line: number, instruction: string): BerthError {
    const named = this.#file === 'Dockerfile' && text.toUpperCase().includes(instruction);
    const suffix = named ? '' : ` (${this.#file}: ${instruction})`;
    return this.#make(`dockerfile parse error on line ${line}: ${text}${suffix}`, line, { instruction });
  }

  /** An instruction is well formed and still cannot be carried out; the text alone is the message's beginning. */
  evaluation(text: string, line: number, instruction: string): BerthError {
    return this.#make(`${text} (${this.#file} line ${line}: ${instruction})`, line, { instruction });
  }

  #make(message: string, line: number, details: Record<string, unknown>): BerthError {
    return invalid(message, { details: { file: this.#file, line, ...details } });
  }
}
