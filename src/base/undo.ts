/** Undoes one thing; may be asynchronous. */
export type Undo = () => void | Promise<void>;

/**
 * The way back from a half-done operation: push an undo after each step; on failure {@link UndoStack.rollback}
 * runs them last-first, goes on past errors, and hands the errors back.
 *
 * @example
 * const undo = new UndoStack();
 * try { await mount(); undo.push(unmount); await start(); }
 * catch (error) { await undo.rollback(); throw error; }
 */
export class UndoStack {
  #steps: Undo[] = [];

  /** Remembers how to undo what was just done. */
  push(step: Undo): void {
    this.#steps.push(step);
  }

  /** Forgets all steps: the operation has succeeded. */
  clear(): void {
    this.#steps = [];
  }

  /** Runs all steps, last first, and returns the errors they threw. Running it twice is harmless. */
  async rollback(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}

/** Runs `body` with an {@link UndoStack}; when it throws, rolls back first and then rethrows its error. */
export async function withUndo<T>(body: (undo: UndoStack) => Promise<T>): Promise<T> {
  const undo = new UndoStack();
  try {
    return await body(undo);
  } catch (error) {
    await undo.rollback();
    throw error;
  }
}
