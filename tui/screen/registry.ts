/** Screen 4: models, their versions and aliases; the selected version's lineage, and the ledger of alias moves. */
import { formatBytes } from "../../text/figure.ts";
import type { LineageView, ModelView, VersionView } from "../../protocol/view.ts";
import { answerTo, refusalTo } from "../model/mesh-data.ts";
import {
  lineageWant,
  modelOf,
  modelsOf,
  modelsWant,
  selectedIndex,
  selectedVersion,
  versionsOf,
  type ModelRow,
} from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { heading } from "../part/pane.ts";
import { pair, position, table, type TableColumn } from "../part/screen-table.ts";
import { tokens, value } from "../../text/format.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { line, span, type Line } from "../../text/line.ts";
import { deploymentLines } from "./deployment-lines.ts";
import { listPane } from "./list-pane.ts";
import { removedColumn, tagsColumn, writtenLines } from "../part/written-line.ts";
import { holdersText } from "../part/holders-line.ts";
import { agoOf, threeFrom, waitingFor, type View } from "../part/screen-view.ts";

const versionRowsMax = 10;
const digestCharacters = 12;

export function registryScreen(view: View): readonly Line[] {
  const models = modelsOf(view.ui, view.data);
  const model = modelOf(view.ui, view.data);
  return arrange(view, {
    list: (width, height) => modelList(view, models, width, height),
    detail: (width, height) => modelDetail(view, model, width, height),
    third: (width, height) => (model === null ? [] : ledger(view, model, width, height)),
    listShare: 0.36,
    listRows: models.length + 2,
  });
}

function modelList(view: View, models: readonly ModelRow[], width: number, height: number): readonly Line[] {
  const { ui } = view;
  const columns: readonly TableColumn<ModelRow>[] = [
    { title: "MODEL", width: 12, grow: 19, rank: 0, text: (m) => m.model },
    { title: "VERSIONS", width: 8, align: "right", rank: 1, text: (m) => String(m.versions) },
    {
      title: "ALIASES",
      width: 12,
      grow: 20,
      rank: 0,
      text: (m) => m.aliases.map((each) => `${each.alias}@${each.version}`).join(" ") || "-",
      tone: () => "accent",
    },
    { title: "LATEST", width: 12, rank: 2, text: (m) => agoOf(view, m.latest.at) },
    ...tagsColumn(models),
  ];
  return listPane(view, {
    title: "Models",
    rows: models,
    idOf: (model) => model.model,
    selection: ui.selections.models,
    known: view.data.answers.models.size > 0,
    want: modelsWant,
    empty: ui.filters.registry === "" ? "no model is registered yet" : "no model matches the filter",
    columns,
    width,
    height,
  });
}

function modelDetail(view: View, model: ModelView | null, width: number, height: number): readonly Line[] {
  if (model === null) return [];
  const { ui, data, glyphs } = view;
  const versions = versionsOf(ui, data);
  const focused = ui.focus === 1;
  const selected = selectedIndex(
    ui.selections.versions,
    versions.map((each) => String(each.version)),
  );
  const rowCount = Math.min(versions.length + 1, versionRowsMax, Math.max(2, Math.floor(height / 2)));
  const rows = table({
    columns: versionColumns(view, model),
    rows: versions,
    selected,
    focused,
    width,
    height: rowCount,
    glyphs,
    empty: "no version",
  });
  const version = selectedVersion(ui, data);
  const lineage = version === null ? [] : lineageLines(view, model.model, version);
  const top = [
    heading(`${model.model}, versions ${position(selected, versions.length)}`, width, focused, glyphs),
    ...writtenLines(model),
    ...rows,
    ...deploymentLines(view, model.model, width),
    ...lineage,
  ];
  const room = height - top.length;
  const hasThird = view.width >= threeFrom && !ui.zoomed;
  return hasThird || room < 3 ? top : [...top, ...ledger(view, model, width, room)];
}

function versionColumns(view: View, model: ModelView): readonly TableColumn<VersionView>[] {
  return [
    { title: "VERSION", width: 7, align: "right", rank: 0, text: (v) => `@${v.version}` },
    ...removedColumn(model.versions),
    {
      title: "ALIASES",
      width: 10,
      grow: 10,
      rank: 1,
      text: (v) =>
        model.aliases
          .filter((each) => each.version === v.version)
          .map((each) => each.alias)
          .join(" ") || "-",
      tone: () => "accent",
    },
    { title: "METRICS", width: 16, grow: 24, rank: 0, text: (v) => metricsText(v) },
    { title: "KIND", width: 9, grow: 5, rank: 3, text: (v) => v.model },
    { title: "SWEEP", width: 5, rank: 4, text: (v) => v.sweep },
    { title: "WHEN", width: 12, rank: 2, text: (v) => agoOf(view, v.at) },
    { title: "SIZE", width: 9, align: "right", rank: 5, text: (v) => formatBytes(v.bytes) },
    ...tagsColumn(model.versions),
  ];
}

/** What it was judged by first, losses last: where room is short, what people compare by stays. */
function metricsText({ metrics, objective }: VersionView): string {
  const rank = (name: string) => (name === objective?.metric ? 0 : /loss/i.test(name) ? 2 : 1);
  return Object.entries(metrics)
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .map(([name, each]) => `${name} ${value(each)}`)
    .join(" ");
}

function lineageLines(view: View, model: string, version: VersionView): readonly Line[] {
  const { glyphs, width } = view;
  const lineage = answerTo(view.data, lineageWant(model, version.version));
  const head = heading(`Lineage of ${model}@${version.version}`, Math.min(width, 40), false, glyphs);
  if (lineage === null) {
    return [head, waitingFor(view, "lineage", refusalTo(view.data, lineageWant(model, version.version)))];
  }
  return [head, ...writtenLines(version), ...steps(view, lineage)];
}

function steps(view: View, lineage: LineageView): readonly Line[] {
  const { version, trial, sweep, origin } = lineage;
  const { dataset } = version;
  const rows =
    dataset === null ? "" : `${dataset.rows.train}+${dataset.rows.validation}+${dataset.rows.test} rows`;
  return [
    pair("dataset", dataset === null ? "none" : `${dataset.name} ${short(dataset.digest)}, ${rows}`),
    pair("sweep", `${sweep.sweep} ${sweep.name} by ${sweep.requester}`),
    pair("trial", `${trial.trial} ${version.model}: ${formatParams(version.params)}`),
    ...(origin === null ? [] : [pair("worked by", `${origin.trial} (answered from the record)`, "good")]),
    pair(
      "attempt",
      `#${version.fence} on ${version.agent} (${version.backend}), ${tokens(version.spent)} tokens`,
    ),
    pair("artifact", `${short(version.artifact)}, ${formatBytes(version.bytes)}`),
    pair("held by", holdersText(view, version.artifact)),
    pair("code", version.codeVersion),
    pair("registered", `${agoOf(view, version.at)} by ${version.requester}`),
  ];
}

function short(digest: string): string {
  return digest.slice(0, digestCharacters);
}

/** Every move of every alias, newest first. */
function ledger(view: View, model: ModelView, width: number, height: number): readonly Line[] {
  const { glyphs } = view;
  const moves = model.ledger
    .toSorted((a, b) => b.at - a.at)
    .map((each) =>
      line(
        span(`${each.alias} `, "accent"),
        `${each.from === null ? "new" : `@${each.from}`} ${glyphs.arrow} @${each.to} `,
        span(
          `${each.kind} by ${each.who}, ${agoOf(view, each.at)}${each.why === "" ? "" : `: ${each.why}`}`,
          "dim",
        ),
      ),
    );
  return [heading("Ledger of its aliases", width, false, glyphs), ...moves].slice(0, Math.max(0, height));
}
