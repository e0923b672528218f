/** Screen 5: datasets and their versions; what the selected version holds, whether its expectations hold, what it trained. */
import { formatBytes } from "../../text/figure.ts";
import type { DatasetView, DatasetVersionView } from "../../protocol/dataset-view.ts";
import {
  datasetOf,
  datasetsOf,
  datasetsWant,
  datasetVersionsOf,
  selectedDatasetVersion,
  selectedIndex,
  type DatasetRow,
} from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { heading } from "../part/pane.ts";
import { pair, position, table, type TableColumn } from "../part/screen-table.ts";
import { line, span, type Line } from "../../text/line.ts";
import { listPane } from "./list-pane.ts";
import { removedColumn, tagsColumn, writtenLines } from "../part/written-line.ts";
import { holdersText } from "../part/holders-line.ts";
import { agoOf, type View } from "../part/screen-view.ts";

const versionRowsMax = 8;
const digestCharacters = 12;

export function datasetsScreen(view: View): readonly Line[] {
  const rows = datasetsOf(view.ui, view.data);
  const dataset = datasetOf(view.ui, view.data);
  return arrange(view, {
    list: (width, height) => datasetList(view, rows, width, height),
    detail: (width, height) => (dataset === null ? [] : datasetDetail(view, dataset, width, height)),
    third: null,
    listShare: 0.4,
    listRows: rows.length + 2,
  });
}

function datasetList(
  view: View,
  rows: readonly DatasetRow[],
  width: number,
  height: number,
): readonly Line[] {
  const columns: readonly TableColumn<DatasetRow>[] = [
    { title: "DATASET", width: 12, grow: 19, rank: 0, text: (row) => row.dataset },
    { title: "VERSIONS", width: 8, align: "right", rank: 1, text: (row) => String(row.versions) },
    { title: "ROWS", width: 9, align: "right", rank: 0, text: (row) => String(rowsIn(row.latest)) },
    {
      title: "CHECK",
      width: 9,
      rank: 0,
      text: (row) => verdict(row.latest),
      tone: (row) => toneOf(row.latest),
    },
    { title: "LATEST", width: 12, rank: 2, text: (row) => agoOf(view, row.latest.at) },
    ...tagsColumn(rows),
  ];
  return listPane(view, {
    title: "Datasets",
    rows,
    idOf: (row) => row.dataset,
    selection: view.ui.selections.datasets,
    known: view.data.answers.datasets.size > 0,
    want: datasetsWant,
    empty:
      view.ui.filters.datasets === ""
        ? "no dataset is on record yet; `trialmesh dataset add FILE` adds one"
        : "no dataset matches the filter",
    columns,
    width,
    height,
  });
}

function datasetDetail(view: View, dataset: DatasetView, width: number, height: number): readonly Line[] {
  const { data, glyphs, ui } = view;
  const versions = datasetVersionsOf(ui, data);
  const focused = ui.focus === 1;
  const selected = selectedIndex(
    ui.selections.datasetVersions,
    versions.map((each) => String(each.version)),
  );
  const rows = table({
    columns: versionColumns(view, versions),
    rows: versions,
    selected,
    focused,
    width,
    height: Math.min(versions.length + 1, versionRowsMax, Math.max(2, Math.floor(height / 3))),
    glyphs,
    empty: "no version",
  });
  const version = selectedDatasetVersion(ui, data);
  return [
    heading(`${dataset.dataset}, versions ${position(selected, versions.length)}`, width, focused, glyphs),
    ...writtenLines(dataset),
    ...rows,
    ...(version === null ? [] : facts(view, dataset, version, width)),
  ].slice(0, height);
}

function versionColumns(
  view: View,
  versions: readonly DatasetVersionView[],
): readonly TableColumn<DatasetVersionView>[] {
  return [
    { title: "VERSION", width: 7, align: "right", rank: 0, text: (row) => `@${row.version}` },
    ...removedColumn(versions),
    { title: "ROWS", width: 9, align: "right", rank: 0, text: (row) => String(rowsIn(row)) },
    { title: "CHECK", width: 9, rank: 0, text: verdict, tone: toneOf },
    { title: "SIZE", width: 9, align: "right", rank: 2, text: (row) => formatBytes(row.bytes) },
    { title: "BY", width: 8, grow: 8, rank: 3, text: (row) => row.by },
    { title: "WHEN", width: 12, rank: 1, text: (row) => agoOf(view, row.at) },
  ];
}

function facts(
  view: View,
  dataset: DatasetView,
  version: DatasetVersionView,
  width: number,
): readonly Line[] {
  const { rows } = version;
  const uses = dataset.uses.filter((use) => use.version === version.version);
  return [
    heading(`${dataset.dataset}@${version.version}`, Math.min(width, 40), false, view.glyphs),
    ...writtenLines(version),
    pair("holds", version.kind === "text" ? "texts with labels" : "a table with a target"),
    pair("rows", `${rows.train} train, ${rows.validation} validation, ${rows.test} test`),
    pair("rejected", `${version.badRows} rows that could not be read`, version.badRows > 0 ? "bad" : "plain"),
    pair("artifact", `${version.digest.slice(0, digestCharacters)}, ${formatBytes(version.bytes)}`),
    pair("held by", holdersText(view, version.digest)),
    pair("built by", version.trial ?? `${version.by}, beside the command`),
    pair("used by", uses.map(useText).join(", ") || "no sweep yet"),
    pair("check", verdict(version), toneOf(version)),
    ...version.check.sentences.map((sentence) => line("  ", span(sentence, "dim"))),
  ];
}

function useText({ models, sweep }: DatasetView["uses"][number]): string {
  return models.length === 0 ? sweep : `${sweep} (${models.join(", ")})`;
}

function rowsIn({ rows }: DatasetVersionView): number {
  return rows.train + rows.validation + rows.test;
}

function verdict({ check }: DatasetVersionView): string {
  if (check.failed > 0) return `${check.failed} failed`;
  return check.warned > 0 ? `${check.warned} warn` : "holds";
}

function toneOf({ check }: DatasetVersionView): "bad" | "accent" | "good" {
  if (check.failed > 0) return "bad";
  return check.warned > 0 ? "accent" : "good";
}
