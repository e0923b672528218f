/** Names beside each other in little room: cut so that no two of them read the same, where the room allows it. */
import { clip, widthOf } from "./width.ts";

/** Each at most `width` columns. Those that would be cut alike keep their ends, and lose what lies before. */
export function clipApart(names: readonly string[], width: number, ellipsis: string): readonly string[] {
  const cut = names.map((name) => clip(name, width, ellipsis));
  for (let tail = 1; tail <= width - widthOf(ellipsis); tail++) {
    const alike = alikeIn(names, cut);
    if (alike.size === 0) break;
    for (const index of alike) cut[index] = middleCut(names[index] ?? "", width, tail, ellipsis);
  }
  return cut;
}

/** The places of different names that read the same. */
function alikeIn(names: readonly string[], cut: readonly string[]): ReadonlySet<number> {
  const behind = new Map<string, Set<string>>();
  for (const [index, text] of cut.entries())
    behind.set(text, (behind.get(text) ?? new Set()).add(names[index] ?? ""));
  return new Set(cut.flatMap((text, index) => ((behind.get(text)?.size ?? 0) > 1 ? [index] : [])));
}

function middleCut(name: string, width: number, tail: number, ellipsis: string): string {
  if (widthOf(name) <= width) return name;
  const characters = [...name];
  let end = "";
  while (characters.length > 0 && widthOf(`${characters.at(-1)}${end}`) <= tail)
    end = `${characters.pop()}${end}`;
  return `${clip(name, width - widthOf(end), ellipsis)}${end}`;
}
