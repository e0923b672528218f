/** GATEWAY-6: what replicas count, summed into one text for Prometheus, made of their texts alone. */

/** Of series that several texts have, the sum; what only says which there is stays 1. */
export function summedMetrics(texts: readonly string[]): string {
  const series = new Map<string, { sum: number; isInfo: boolean } | null>();
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    if (line === "") continue;
    const at = line.lastIndexOf(" ");
    const value = Number(line.slice(at + 1));
    if (line.startsWith("#") || !Number.isFinite(value)) {
      if (!series.has(line)) series.set(line, null);
      continue;
    }
    const name = line.slice(0, at);
    const known = series.get(name);
    const isInfo = /^\w+_info\{/.test(name);
    series.set(name, { sum: isInfo ? value : value + (known?.sum ?? 0), isInfo });
  }
  const lines = [...series].map(([name, value]) => (value === null ? name : `${name} ${value.sum}`));
  return `${ordered(lines).join("\n")}\n`;
}

/** Prometheus wants the samples of one name together, after what is said of it. */
function ordered(lines: readonly string[]): readonly string[] {
  const groups = new Map<string, string[]>();
  let name = "";
  const names: string[] = lines.flatMap((line) => /^# TYPE (\w+)/.exec(line)?.[1] ?? []);
  for (const line of lines) {
    const said = /^# (?:HELP|TYPE) (\w+)/.exec(line)?.[1];
    const sample = /^\w+/.exec(line)?.[0] ?? "";
    const base = names.includes(sample) ? sample : sample.replace(/_(bucket|sum|count)$/, "");
    name = said ?? base;
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  return [...groups.values()].flat();
}
