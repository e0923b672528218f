/** Puts a built version on record in the mesh, with what its expectations came to. Sends the record, not the file. */
import { checkExpectations } from "../../data/expectation/check-expectations.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { recordedCheck } from "../../data/expectation/recorded-check.ts";
import type { ExpectationReport } from "../../data/expectation/expectation-report.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandValue } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { engineHere } from "./engine-option.ts";

export interface RecordedVersion {
  readonly added: CommandValue<"dataset-add">;
  readonly report: ExpectationReport;
}

export interface Recordable {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  readonly manifest: Manifest;
  readonly recipe: string;
  /** The trial that built it; null where it was built here. */
  readonly trial: string | null;
}

export async function recordVersion(
  client: MeshClient,
  version: Recordable,
  expect: readonly Expectation[],
): Promise<Outcome<RecordedVersion>> {
  const report = await checkExpectations(
    { path: version.path, digest: version.digest, expectations: expect },
    engineHere,
  );
  if (!report.ok) return report;
  const { bytes, digest, manifest, recipe, trial } = version;
  const added = await client.command("dataset-add", {
    dataset: manifest.name,
    kind: manifest.declaration.form.kind,
    digest,
    bytes,
    rows: manifest.rows,
    labels: manifest.labels,
    badRows: manifest.bad.count,
    recipe,
    trial,
    check: recordedCheck(report.value),
  });
  return added.ok ? accept({ added: added.value, report: report.value }) : added;
}
