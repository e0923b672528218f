/**
 * From a declaration to a dataset version in memory. Official splits are kept; where no validation
 * file is given, a tenth of the training rows is carved off. A training row whose text also stands in
 * a held-out split is dropped and counted. No downloads, no formats beyond those declared here.
 */
import { readFile } from "node:fs/promises";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Example, TextDataset } from "./dataset.ts";
import { parseLabelledLines, type BadLine, type LabelledLines } from "./labelled-line.ts";
import { languageIdDataset, languageIdName } from "./language-id.ts";
import { splitByText, withoutTextsOf } from "./split.ts";

export type DatasetDeclaration =
  | { readonly format: "embedded"; readonly name: string }
  | {
      readonly format: "labelled-lines";
      readonly name: string;
      /** Absolute paths. */
      readonly train: string;
      readonly dev?: string | undefined;
      readonly test?: string | undefined;
      /** Raw label to the name it should have; a raw label left out keeps its own. */
      readonly labels?: Readonly<Record<string, string>> | undefined;
    };

export interface LoadReport {
  /** Lines kept aside, with the file they stand in. */
  readonly bad: readonly (BadLine & { readonly file: string })[];
  /** Lines read as ISO-8859-1. */
  readonly latin1Lines: number;
  /** Training rows dropped because a held-out split has the same text. */
  readonly leakedRows: number;
}

export interface LoadedDataset {
  readonly dataset: TextDataset;
  readonly report: LoadReport;
}

export const embeddedDatasetNames = [languageIdName] as const;
/** Above this share of bad lines a file is not what it was declared to be. */
export const badLineShareMax = 0.05;
const validationShare = 0.1;
const testShare = 0.1;

export async function loadDataset(declaration: DatasetDeclaration): Promise<Outcome<LoadedDataset>> {
  if (declaration.format === "embedded") {
    if (declaration.name !== languageIdName) {
      return refuse(
        "unknown",
        `no embedded dataset is called "${declaration.name}"; there is "${languageIdName}"`,
      );
    }
    return accept({ dataset: languageIdDataset(), report: { bad: [], latin1Lines: 0, leakedRows: 0 } });
  }
  const files: { readonly path: string; readonly lines: LabelledLines }[] = [];
  for (const path of [declaration.train, declaration.dev, declaration.test]) {
    const read = path === undefined ? accept(null) : await readLines(path);
    if (!read.ok) return read;
    files.push({ path: path ?? "", lines: read.value ?? { examples: [], bad: [], latin1Lines: [] } });
  }
  const raw = [...new Set(files.flatMap(({ lines }) => lines.examples.map((example) => example.label)))];
  const nameOf = (label: string) => declaration.labels?.[label] ?? label;
  const labels = [...new Set(raw.toSorted().map(nameOf))];
  if (labels.length < 2) {
    return refuse(
      "invalid",
      `${declaration.train}: every line has the label "${labels[0] ?? ""}"; classification needs two or more`,
    );
  }
  const index = new Map(labels.map((label, at) => [label, at]));
  const [train = [], dev = [], test = []] = files.map(({ lines }): Example[] =>
    lines.examples.map(({ label, text }) => ({ text, label: index.get(nameOf(label)) ?? 0 })),
  );
  const cut = cutSplits(declaration, train, dev, test);
  return accept({
    dataset: { kind: "text", name: declaration.name, labels, ...cut.splits },
    report: {
      bad: files.flatMap(({ path, lines }) => lines.bad.map((line) => ({ ...line, file: path }))),
      latin1Lines: files.reduce((sum, { lines }) => sum + lines.latin1Lines.length, 0),
      leakedRows: cut.leakedRows,
    },
  });
}

function cutSplits(
  declaration: { readonly dev?: string | undefined; readonly test?: string | undefined },
  train: readonly Example[],
  dev: readonly Example[],
  test: readonly Example[],
): { readonly splits: Pick<TextDataset, "train" | "validation" | "test">; readonly leakedRows: number } {
  let rest: readonly Example[] = train;
  let held = test;
  if (declaration.test === undefined) {
    const [kept = [], carved = []] = splitByText(rest, [1 - testShare, testShare], "test");
    [rest, held] = [kept, carved];
  }
  const clean = withoutTextsOf(rest, [...dev, ...held]);
  const leakedRows = rest.length - clean.length;
  if (declaration.dev !== undefined)
    return { splits: { train: clean, validation: dev, test: held }, leakedRows };
  const [kept = [], carved = []] = splitByText(clean, [1 - validationShare, validationShare], "validation");
  return { splits: { train: kept, validation: carved, test: held }, leakedRows };
}

async function readLines(path: string): Promise<Outcome<LabelledLines>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return refuse(
      "invalid",
      `${path} cannot be read (${why}); give the path of a file with one "label text" per line`,
    );
  }
  const lines = parseLabelledLines(bytes);
  const total = lines.examples.length + lines.bad.length;
  const first = lines.bad[0];
  if (first !== undefined && lines.bad.length > badLineShareMax * total) {
    return refuse(
      "invalid",
      `${path}, line ${first.line}: ${first.reason}; ${lines.bad.length} of ${total} lines are like that, and at most ${badLineShareMax * 100}% may be`,
    );
  }
  if (lines.examples.length === 0)
    return refuse("invalid", `${path} holds no example; each line should be "label text"`);
  return accept(lines);
}
