/** Upper bounds of the duration histogram, seconds. */
const buckets = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

type Labels = Readonly<Record<string, string>>;

/** Counts for Prometheus, in its text format 0.0.4. */
export class Metrics {
  readonly #counters = new Map<string, { help: string; values: Map<string, number> }>();
  readonly #durations = new Map<string, { counts: number[]; sum: number; total: number }>();

  /** Adds to a counter. Labels must be of few different values. */
  count(name: string, help: string, sample: { labels?: Labels; by?: number } = {}): void {
    const counter = this.#counters.get(name) ?? { help, values: new Map<string, number>() };
    this.#counters.set(name, counter);
    const key = labelText(sample.labels ?? {});
    counter.values.set(key, (counter.values.get(key) ?? 0) + (sample.by ?? 1));
  }

  /** Adds a request that took `seconds`. */
  observe(labels: Labels, seconds: number): void {
    const key = labelText(labels);
    const histogram = this.#durations.get(key) ?? { counts: buckets.map(() => 0), sum: 0, total: 0 };
    this.#durations.set(key, histogram);
    for (const [index, bound] of buckets.entries()) {
      if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
    }
    histogram.sum += seconds;
    histogram.total += 1;
  }

  /** The text of a scrape; `gauges` are values of this moment by name. */
  render(gauges: Readonly<Record<string, { help: string; value: number }>>): string {
    const lines: string[] = [];
    for (const [name, { help, values }] of this.#counters) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [labels, value] of values) lines.push(`${name}${braces(labels)} ${value}`);
    }
    const name = 'registry_request_duration_seconds';
    lines.push(`# HELP ${name} Time from a request to the end of its answer.`, `# TYPE ${name} histogram`);
    for (const [labels, { counts, sum, total }] of this.#durations) {
      const comma = labels === '' ? '' : ',';
      for (const [index, bound] of buckets.entries()) {
        lines.push(`${name}_bucket{${labels}${comma}le="${bound}"} ${counts[index] ?? 0}`);
      }
      lines.push(`${name}_bucket{${labels}${comma}le="+Inf"} ${total}`);
      lines.push(`${name}_sum${braces(labels)} ${sum}`, `${name}_count${braces(labels)} ${total}`);
    }
    for (const [gauge, { help, value }] of Object.entries(gauges)) {
      lines.push(`# HELP ${gauge} ${help}`, `# TYPE ${gauge} gauge`, `${gauge} ${value}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, '_')}"`)
    .join(',');
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}
