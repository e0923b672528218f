/**
 * Proves that a registered version can really serve before an alias is moved to it: fetches its
 * bytes from the mesh, checks their digest, loads them and has them answer a short example.
 */
import { loadModel } from "../../training/catalog/load-model.ts";
import type { Predictor } from "../../training/task/task.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { fetchBlob } from "../../artifact/mesh-blob.ts";
import type { ModelView } from "../../protocol/view.ts";

const example = "two days, three hours";

export interface CheckedVersion {
  readonly version: number;
  /** What the model made of the example. */
  readonly answer: string;
}

export async function checkVersion(
  client: MeshClient,
  bus: Bus,
  view: ModelView,
  version: number,
): Promise<Outcome<CheckedVersion>> {
  const found = view.versions.find((known) => known.version === version);
  if (found === undefined) {
    const known = view.versions.map((candidate) => String(candidate.version));
    return refuse(
      "unknown",
      `${view.model} has no version ${version}; ${suggestion(String(version), known)}`,
    );
  }
  const what = `${view.model}@${version}`;
  const bytes = await fetchBlob(bus, client.mesh, found.artifact);
  if (!bytes.ok) return refuse(bytes.refusal.code, `${what} cannot be used: ${bytes.refusal.message}`);
  const loaded = await loadModel(bytes.value);
  if (!loaded.ok) return refuse(loaded.refusal.code, `${what} cannot be used: ${loaded.refusal.message}`);
  const predictor = loaded.value;
  try {
    const answer = answerOf(predictor);
    return answer === null
      ? refuse("conflict", `${what} cannot be used: it gives no answer to an example`)
      : accept({ version, answer });
  } finally {
    predictor.dispose();
  }
}

/** What the model makes of an example, in words; null where that is no answer. */
function answerOf(predictor: Predictor): string | null {
  switch (predictor.kind) {
    case "none":
      return "it loads";
    case "text": {
      const best = predictor.predict([example])[0]?.[0];
      if (best === undefined || !Number.isFinite(best.probability)) return null;
      return `"${example}" -> ${best.label} (${best.probability.toFixed(3)})`;
    }
    case "table": {
      const given = predictor.predict(new Float32Array(predictor.features.length));
      if (given.length === 0 || !given.every(Number.isFinite)) return null;
      const { labels } = predictor;
      if (labels === null) return `a row of zeros -> ${(given[0] ?? 0).toPrecision(4)}`;
      const best = given.indexOf(Math.max(...given));
      return `a row of zeros -> ${labels[best] ?? ""} (${(given[best] ?? 0).toFixed(3)})`;
    }
  }
}

/** Where `rollback` goes where no version is named: the version the alias pointed to before its last move. */
export function versionBefore(view: ModelView, alias: string): Outcome<number> {
  const current = view.aliases.find((known) => known.alias === alias);
  if (current === undefined) {
    return refuse(
      "unknown",
      `${view.model} has no alias "${alias}", ${suggestion(
        alias,
        view.aliases.map((known) => known.alias),
      )}`,
    );
  }
  const moves = view.ledger.filter((move) => move.alias === alias).toSorted((a, b) => b.at - a.at);
  const before = moves.find((move) => move.to === current.version && move.from !== null)?.from ?? null;
  return before === null
    ? refuse(
        "conflict",
        `${view.model}@${alias} has pointed to version ${current.version} from the start; there is nothing to go back to`,
      )
    : accept(before);
}
