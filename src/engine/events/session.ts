import type { Attachment } from '#runtime';

/** A client's connection to a process of a container. */
export interface Session extends Attachment {
  /** Closes it because the client typed the detach keys, which is announced. */
  detach(): void;
}

/** `attachment` for a client; `onDetach` runs when it is left by the detach keys. */
export function withDetach(attachment: Attachment, onDetach: () => void): Session {
  return {
    output: attachment.output,
    write: (data) => attachment.write(data),
    endInput: () => attachment.endInput(),
    close: () => attachment.close(),
    detach: () => {
      onDetach();
      attachment.close();
    },
  };
}
