/** The lines around every screen: where one is, how the link stands, the whole mesh in a strip, and the footer. */
import { bar } from "../../text/canvas/bar.ts";
import { sparkline } from "../../text/canvas/sparkline.ts";
import { applies, commandTable, type Command } from "../model/command-table.ts";
import { meshOf, sweepsOf } from "../model/list.ts";
import { screens, screenTitles, type Overlay, type Screen, type Ui } from "../model/ui.ts";
import { duration, rate, value } from "../../text/format.ts";
import { line, lineWidth, span, type Line, type Span } from "../../text/line.ts";
import { finishedOf } from "./sweeps.ts";
import type { View } from "../part/screen-view.ts";

const screenKeys: Readonly<Record<Screen, string>> = {
  mesh: "1",
  sweeps: "2",
  trials: "3",
  registry: "4",
  datasets: "5",
  budgets: "6",
  events: "7",
};
/** Columns between two keys of the footer. */
const footerGap = 2;
const shortTitles: Readonly<Record<Screen, string>> = { ...screenTitles, budgets: "Budgets" };

/** The left and the right, pushed apart; the right is whole, the left gives way. */
function apart(left: Line, right: Line, width: number): Line {
  const gap = width - lineWidth(left) - lineWidth(right);
  return gap >= 1 ? [...left, span(" ".repeat(gap)), ...right] : [...left, span(" "), ...right];
}

export function headerLine(view: View, mesh: string, who: string): Line {
  const { ui, width } = view;
  const link = linkSpans(view);
  const full: Line = [
    span(`${mesh} `, "strong"),
    ...screens.flatMap((each): Span[] => {
      const text = `${screenKeys[each]} ${shortTitles[each]}`;
      return each === ui.screen ? [span(`[${text}]`, "accent")] : [span(` ${text} `, "dim")];
    }),
  ];
  const right = [...link, span(`${ui.readOnly ? " read-only" : ""} ${who}`, "dim")];
  if (lineWidth(full) + lineWidth(right) < width) return apart(full, right, width);
  if (lineWidth(full) + lineWidth(link) < width) return apart(full, link, width);
  const current = [span(`[${screenKeys[ui.screen]} ${shortTitles[ui.screen]}]`, "accent")];
  const numbers = screens.flatMap((each): readonly Span[] =>
    each === ui.screen ? current : [span(` ${screenKeys[each]} `, "dim")],
  );
  if (lineWidth(numbers) + lineWidth(link) < width) return apart(numbers, link, width);
  if (lineWidth(current) + lineWidth(link) < width) return apart(current, link, width);
  return link;
}

/** How the link stands, in words; the age of the data as soon as it is not live. */
export function linkSpans(view: View): Line {
  const { link, ageMs } = view.data;
  const old = ageMs === null ? "no data yet" : `data ${duration(Math.floor(ageMs / 1000) * 1000)} old`;
  switch (link) {
    case "live":
      return line(span("live", "good"));
    case "connecting":
      return line(span("connecting", "warn"));
    case "silent":
      return line(span(`NO COORDINATOR ANSWERS, ${old}`, "bad"));
    case "disconnected":
      return line(span(`DISCONNECTED, ${old}`, "bad"));
    case "closed":
      return line(span(`CONNECTION CLOSED, ${old}`, "bad"));
  }
}

const stripBar = 12;
const stripSparkMax = 60;

export function stripLine(view: View): Line {
  const mesh = meshOf(view.data);
  const { glyphs, width } = view;
  if (mesh === null) return line(span("waiting for the first answer", "dim"));
  const present = mesh.agents.filter((each) => each.state !== "silent").length;
  const left = line(
    `${present}/${mesh.agents.length} agents  `,
    span(bar(mesh.running, mesh.slots, stripBar, glyphs), "accent"),
    ` ${mesh.running}/${mesh.slots} slots  ${mesh.queued} queued  ${rate(mesh.tokensPerSecond)} tok/s`,
  );
  const room = Math.min(stripSparkMax, width - lineWidth(left) - 2);
  if (room < 8) return left;
  const spark = sparkline(view.data.busy, room, 0, Math.max(1, mesh.slots), glyphs);
  return apart(left, line(span(spark, "dim")), width);
}

export function footerLine(view: View): Line {
  const { ui, width } = view;
  if (ui.notice !== null) return line(span(ui.notice.text, ui.notice.tone));
  const filter = ui.filters[ui.screen];
  if (ui.overlay?.kind === "filter") {
    return line(span("/", "accent"), filter, span(view.glyphs.ascii ? "_" : "▏", "accent"));
  }
  if (ui.overlay !== null) return overlayKeys(ui.overlay.kind);
  const spans: Span[] = filter === "" ? [] : [span(`/${filter} `, "accent"), span("(esc clears)  ", "dim")];
  return [...spans, ...footerKeys(ui, width - lineWidth(spans))];
}

/** Of the keys that do something here as many as there is room for: what always helps stays when what a screen adds gives way. */
function footerKeys(ui: Ui, width: number): Line {
  const shown = commandTable.filter((each) => each.footer !== null && applies(each, ui));
  const spansOf = ({ footer, keys }: Command) => [
    span(keys[0] ?? "", "accent"),
    span(` ${footer ?? ""}`, "dim"),
  ];
  const kept = new Set<Command>();
  let left = width;
  const byNeed = [...shown.filter(alwaysHelps).toReversed(), ...shown.filter((each) => !alwaysHelps(each))];
  for (const each of byNeed) {
    left -= lineWidth(spansOf(each)) + (kept.size === 0 ? 0 : footerGap);
    if (left < 0) break;
    kept.add(each);
  }
  const gap = span(" ".repeat(footerGap));
  return shown
    .filter((each) => kept.has(each))
    .flatMap((each, at) => (at === 0 ? spansOf(each) : [gap, ...spansOf(each)]));
}

function alwaysHelps({ screens: where, writes }: Command): boolean {
  return where === null && !writes;
}

const overlayFooters: Readonly<
  Record<Exclude<Overlay["kind"], "filter">, readonly (readonly [string, string])[]>
> = {
  launch: [
    ["tab", "next field"],
    ["enter", "launch"],
    ["ctrl+b", "beyond the budget"],
    ["ctrl+u", "clear"],
    ["esc", "cancel"],
  ],
  palette: [
    ["enter", "run"],
    ["esc", "cancel"],
  ],
  confirm: [
    ["y", "do it"],
    ["n", "leave it"],
    ["Y", "command line"],
  ],
  insight: [
    ["tab", "over trials, tokens, time"],
    ["j k", "scroll"],
    ["Y", "command line"],
    ["esc", "back"],
  ],
  help: [["esc", "back"]],
  cli: [["esc", "back"]],
};

function overlayKeys(kind: Exclude<Overlay["kind"], "filter">): Line {
  return overlayFooters[kind].flatMap(([key, word]) => [span(key, "accent"), span(` ${word}  `, "dim")]);
}

/** All there is room for in a very small terminal. */
export function summaryLine(view: View): Line {
  const mesh = meshOf(view.data);
  const notLive = view.data.link === "live" ? [] : [...linkSpans(view), span(" ")];
  if (mesh === null) return [...notLive, span("no data yet", "dim")];
  const [newest] = sweepsOf(view.ui, view.data);
  const sweep =
    newest === undefined
      ? ""
      : ` ${newest.sweep} ${finishedOf(newest)}/${newest.total} best ${value(newest.best?.value ?? null)}`;
  return [...notLive, span(`${mesh.running}/${mesh.slots} slots${sweep}`)];
}
