/**
 * The file of a dataset version, however it is named: a dataset file (built here where it has not been), `NAME` or
 * `NAME@VERSION` on record in the mesh, or a version's Parquet file. The mesh is asked only for what it has.
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { nameFile } from "../../artifact/name-artifact.ts";
import type { Declaration } from "../../data/declaration/declaration.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { readFileText } from "../../spec/file/read-file-text.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import { namedDataset } from "../../spec/sweep/read-dataset.ts";
import { connectMesh } from "../connect/connect-mesh.ts";
import { fetchVersion } from "./build-on-agent.ts";
import { buildHere } from "../../data/version/local-version.ts";
import { findVersion } from "./resolve-dataset.ts";
import { reportLines } from "./say-report.ts";
import type { Environment, Surroundings } from "../../system/environment.ts";

export interface OpenedVersion {
  readonly path: string;
  readonly digest: string;
  /** What a dataset file expects; null where the version was not named by one. */
  readonly expect: readonly Expectation[] | null;
  /** `reviews@3`, or the file as it was given. */
  readonly title: string;
}

export interface DeclaredDataset {
  readonly declaration: Declaration;
  readonly expect: readonly Expectation[];
}

/** A dataset file, or a refusal with all its problems, one on each line. */
export async function readDeclared(
  file: string,
  environment: Environment,
): Promise<Outcome<DeclaredDataset>> {
  const text = await readFileText(
    file,
    "give the path of a dataset file, such as examples/datasets/ag-news.yaml",
  );
  if (!text.ok) return text;
  const read = readDatasetFile({ file: resolve(file), environment, text: text.value });
  return read.ok ? accept(read) : refuse("invalid", formatProblems(file, read.problems));
}

export function isDatasetFile(text: string): boolean {
  return /\.ya?ml$/iu.test(text);
}

export async function openVersion(
  text: string,
  { environment, say }: Surroundings,
  as: string | undefined,
): Promise<Outcome<OpenedVersion>> {
  if (isDatasetFile(text)) {
    const declared = await readDeclared(text, environment);
    if (!declared.ok) return declared;
    const { declaration, expect } = declared.value;
    const built = await buildHere(declaration, environment, say);
    if (!built.ok) return built;
    const { digest, manifest, path, report } = built.value;
    for (const line of reportLines(manifest, report)) say(line);
    return accept({ path, digest, expect, title: text });
  }
  if (/\.(?:parquet|pq)$/iu.test(text)) {
    const found = await stat(text).catch(() => null);
    if (found?.isFile() !== true) return refuse("unknown", `there is no file ${text}`);
    return accept({ path: text, digest: (await nameFile(text)).digest, expect: null, title: text });
  }
  const named = namedDataset(text);
  if (named === null) {
    const message = `"${text}" is no dataset; give NAME, NAME@VERSION, a dataset file that ends in .yaml, or a version's .parquet file`;
    return refuse("invalid", message);
  }
  const connected = await connectMesh(environment, as);
  if (!connected.ok) return connected;
  try {
    const version = await findVersion(connected.value.client, named.name, named.version);
    if (!version.ok) return version;
    const fetched = await fetchVersion(connected.value, version.value.digest, environment, say);
    if (!fetched.ok) return fetched;
    const { digest, path } = fetched.value;
    return accept({ path, digest, expect: null, title: `${named.name}@${version.value.version}` });
  } finally {
    await connected.value.client.close();
  }
}
