import { parentPort } from 'node:worker_threads';
import { argon2Verify, bcryptVerify } from 'hash-wasm';

/** A password and the hash it is compared with. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

/** The answer to a {@link PasswordQuestion}. */
export interface PasswordAnswer {
  readonly id: number;
  readonly correct: boolean;
}

async function verify({ password, hash }: PasswordQuestion): Promise<boolean> {
  try {
    return hash.startsWith('$argon2') ? await argon2Verify({ password, hash }) : await bcryptVerify({ password, hash });
  } catch {
    // Empty passwords, and those that bcrypt cannot take, are wrong ones.
    return false;
  }
}

parentPort?.on('message', async (question: PasswordQuestion) => {
  const answer: PasswordAnswer = { id: question.id, correct: await verify(question) };
  parentPort?.postMessage(answer);
});
