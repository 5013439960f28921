/** How {@link alignTabs} pads. */
export interface TabOptions {
  readonly minWidth: number;
  readonly padding: number;
}

/**
 * Aligns tab-separated cells as Go's text/tabwriter does: a column is a run of neighbouring lines that have a
 * tab-ended cell there; it is as wide as its widest cell plus padding, and at least `minWidth`. The last cell of a line
 * belongs to no column.
 */
export function alignTabs(text: string, options: TabOptions = { minWidth: 10, padding: 3 }): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  const most = Math.max(...lines.map((cells) => cells.length));
  for (let column = 0; column < most - 1; column += 1) {
    for (let from = 0; from < lines.length; from += 1) {
      let to = from;
      let width = 0;
      while (to < lines.length && column < (lines[to]?.length ?? 0) - 1) {
        width = Math.max(width, [...(lines[to]?.[column] ?? '')].length + options.padding);
        to += 1;
      }
      if (to === from) continue;
      const empty = width === options.padding;
      for (let line = from; line < to; line += 1) {
        const row = widths[line];
        if (row) row[column] = empty ? options.minWidth : Math.max(width, options.minWidth);
      }
      from = to;
    }
  }
  return lines
    .map((cells, line) =>
      cells
        .map((cell, column) => {
          const width = column === cells.length - 1 ? 0 : (widths[line]?.[column] ?? 0);
          return cell + ' '.repeat(Math.max(0, width - [...cell].length));
        })
        .join(''),
    )
    .join('\n');
}
