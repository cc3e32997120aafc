/** Prometheus' text format, for services that count in plain objects and need no library for it. */

export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
  /** Of a summary: which of its series. */
  series?: 'sum' | 'count';
}

/** One metric with its samples; nothing where there is no sample. Counters' names end with `_total`, units are part of the name. */
export function metricFamily(name: string, type: 'counter' | 'gauge' | 'summary', help: string, samples: Iterable<Sample>): string {
  const lines = [...samples].map(({ labels = {}, value, series }) => `${name}${series ? `_${series}` : ''}${labelsText(labels)} ${value}`);
  return lines.length === 0 ? '' : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

/** Counts by the value of one label, as samples. */
export function samplesBy(label: string, counts: Iterable<[string, number]>): Sample[] {
  return [...counts].map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`));
}
