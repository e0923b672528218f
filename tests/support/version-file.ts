// A dataset version's file with exactly the given examples: what a build would never make, too.
import { join } from "node:path";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { placeColumns, writeVersion } from "../../data/version/write-version.ts";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { buildVersion } from "../../data/manifest/manifest.ts";

export async function versionFile(dir: string, file: string, dataset: TextDataset): Promise<string> {
  const path = join(dir, file);
  const { labels, name, test, train, validation } = dataset;
  const engine = await openEngine({ workDir: dir, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    await engine.run(
      "CREATE TABLE rows (__split VARCHAR, __file INTEGER, __line BIGINT, text VARCHAR, label INTEGER)",
    );
    const appender = await engine.connection.createAppender("rows");
    for (const [split, examples] of Object.entries({ train, validation, test })) {
      for (const [row, { label, text }] of examples.entries()) {
        appender.appendVarchar(split);
        appender.appendInteger(0);
        appender.appendBigInt(BigInt(row + 1));
        appender.appendVarchar(text);
        appender.appendInteger(label);
        appender.endRow();
      }
    }
    appender.closeSync();
    const columns = [
      ...placeColumns,
      { name: "text", type: "VARCHAR", sql: "text" },
      { name: "label", type: "INTEGER", sql: "label" },
    ];
    await writeVersion(
      engine,
      "rows",
      columns,
      {
        format: "trialmesh-dataset",
        build: buildVersion,
        duckdb: "test",
        name,
        declaration: {
          name,
          sources: [{ format: "embedded", name }],
          plan: [],
          form: { kind: "text", text: "text", label: "label" },
          badRows: { max: 0 },
        },
        sources: [],
        columns: columns.map(({ name: column, type }) => ({ name: column, type })),
        rows: { train: train.length, validation: validation.length, test: test.length },
        labels: [...labels],
        features: null,
        bad: { count: 0, first: [] },
        leakedRows: 0,
        leaks: [],
        nearGroups: null,
      },
      path,
    );
    return path;
  } finally {
    engine.close();
  }
}
