import type { ProgressDetail, ProgressMessage } from '#api-types';
import { unavailable } from '#base';
import type { Terminal } from '../command/index.ts';
import { humanSize } from '../format/index.ts';

type Output = Terminal['stdout'] | Terminal['stderr'];

function bar(detail: ProgressDetail, columns: number): string {
  const { current = 0, total = 0, hidecounts = false, units } = detail;
  if (current <= 0 && total <= 0) return '';
  if (units !== undefined && units !== '')
    return total > 0 && !hidecounts ? `${current}/${total} ${units}` : `${current} ${units}`;
  const size = humanSize(current);
  if (total <= 0) return size.padStart(8);
  const filled = Math.min(50, Math.floor(((current / total) * 100) / 2));
  const drawn = columns > 110 ? `[${'='.repeat(filled)}>${' '.repeat(Math.max(0, 50 - filled))}] ` : '';
  const counts =
    hidecounts || current > total
      ? current > total
        ? size.padStart(8)
        : ''
      : `${size.padStart(8)}/${humanSize(total)}`;
  return drawn + counts;
}

/** Shows progress on a terminal: each id has a line of its own, changed in place. */
class InPlace {
  readonly #output: Output;
  readonly #lines = new Map<string, number>();

  constructor(output: Output) {
    this.#output = output;
  }

  show(message: ProgressMessage): void {
    const { id } = message;
    if (message.progressDetail === undefined && id === undefined) {
      this.#lines.clear();
      this.#output.write(lineText(message, this.#output.columns ?? 80));
      return;
    }
    if (id === undefined || id === '') {
      this.#lines.clear();
      this.#output.write(lineText(message, this.#output.columns ?? 80));
      return;
    }
    let line = this.#lines.get(id);
    if (line === undefined) {
      line = this.#lines.size;
      this.#lines.set(id, line);
      if (message.status !== undefined) this.#output.write('\n');
    }
    const up = this.#lines.size - line;
    const text = lineText(message, this.#output.columns ?? 80).replace(/\n$/, '');
    this.#output.write(`\x1b[${up}A\x1b[2K\r${text}\r\x1b[${up}B`);
  }
}

function lineText(message: ProgressMessage, columns: number): string {
  if (message.stream !== undefined && message.stream !== '') return message.stream;
  const id = message.id ? `${message.id}: ` : '';
  const detail = message.progressDetail === undefined ? '' : bar(message.progressDetail, columns);
  return `${id}${message.status ?? ''}${detail === '' ? '' : ` ${detail}`}\n`;
}

/** The text of one message where there is no terminal: bars are left out. */
function plainText(message: ProgressMessage): string {
  const { current = 0, total = 0 } = message.progressDetail ?? {};
  if (current > 0 || total > 0) return '';
  return lineText(message, 80);
}

/**
 * Shows a stream of progress on `output`: in place on a terminal, plain lines elsewhere. `onAux` gets the results that
 * ride along. Throws `unavailable` with the message of the stream's error, when it ends with one.
 */
export async function renderProgress(
  messages: AsyncIterable<ProgressMessage>,
  output: Output,
  onAux: (aux: unknown, id: string | undefined) => void = () => undefined,
): Promise<void> {
  const inPlace = output.isTTY === true ? new InPlace(output) : undefined;
  for await (const message of messages) {
    const fault = message.errorDetail?.message ?? message.error;
    if (fault !== undefined) throw unavailable(fault, { details: { code: message.errorDetail?.code } });
    if (message.aux !== undefined) {
      onAux(message.aux, message.id);
      continue;
    }
    if (inPlace) inPlace.show(message);
    else output.write(plainText(message));
  }
}
