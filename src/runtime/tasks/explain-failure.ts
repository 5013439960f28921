/** Why a process could not be started, as far as the runtime's words tell. */
export interface FailureDetails {
  readonly reason: 'not-found' | 'permission-denied' | 'other';
  /** The program asked for, when the message names it. */
  readonly executable?: string;
  /** The runtime's message as it was. */
  readonly runtimeMessage: string;
  readonly [key: string]: unknown;
}

/** Takes the noise off a message of crun or runc and tells which of the usual failures it is. */
export function explainFailure(message: string): { text: string; details: FailureDetails } {
  const plain = message
    .split('\n')
    .map(plainLine)
    .filter((line) => line !== '')
    .join('\n');
  const executable =
    /executable file [`']([^`']*)'/.exec(plain)?.[1] ??
    /exec: "([^"]*)"/.exec(plain)?.[1] ??
    /(?:open|exec[a-z]*) [`']([^`']*)'/.exec(plain)?.[1];
  return {
    text: plain,
    details: {
      reason: classify(plain),
      ...(executable === undefined ? {} : { executable }),
      runtimeMessage: message.trim(),
    },
  };
}

function plainLine(line: string): string {
  const logged = /^time="[^"]*" level=\w+ msg="((?:[^"\\]|\\.)*)"/.exec(line);
  const text = logged?.[1] === undefined ? line : logged[1].replaceAll('\\"', '"');
  return text.replace(/^(?:crun|runc): /, '').trim();
}

function classify(text: string): FailureDetails['reason'] {
  if (/executable file .*not found|exec[^\n]*no such file or directory|stat [^\n]*no such file/i.test(text))
    return 'not-found';
  if (/permission denied|operation not permitted|is a directory|exec format error/i.test(text))
    return 'permission-denied';
  return 'other';
}
