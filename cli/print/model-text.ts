/** A model or a version as `model show` prints it: versions, what `--best` and `rollback` would do, and the ledger of its aliases. */
import { describeTensor } from "../../serving/protocol/fit-tensors.ts";
import type { ShownVersion } from "../../client/model/show-version.ts";
import type { ShownModel } from "../../client/model/show-model.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import { formatBytes, formatMetrics, formatMicros, formatTime } from "../../text/figure.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { fields, table } from "../../text/table.ts";
import { labelFields, removedText, writtenColumns } from "./label-text.ts";

export function modelText(view: ShownModel): string {
  const aliasesOf = (version: number) =>
    view.aliases.filter((alias) => alias.version === version).map((alias) => alias.alias);
  const versions = table(
    view.versions,
    [
      { head: "VERSION", cell: (version) => `${view.model}@${version.version}` },
      { head: "ALIASES", cell: (version) => aliasesOf(version.version).join(" ") || "-" },
      { head: "MODEL", cell: (version) => version.model },
      { head: "METRICS", cell: (version) => formatMetrics(version.metrics, version.objective?.metric) },
      {
        head: "TRIAL",
        cell: ({ epoch, trial }) => (epoch === undefined ? trial : `${trial} at epoch ${epoch}`),
      },
      { head: "SIZE", cell: (version) => formatBytes(version.bytes), right: true },
      ...(view.versions.some(({ measured }) => measured !== undefined)
        ? [{ head: "A ROW", cell: rowTime, right: true } as const]
        : []),
      { head: "TOKENS", cell: (version) => formatTokens(version.spent), right: true },
      { head: "AT", cell: (version) => formatTime(version.at, Date.now()) },
      ...writtenColumns(view.versions, (version) => version),
    ],
    "no version",
  );
  const moves = table(
    view.ledger,
    [
      { head: "AT", cell: (move) => formatTime(move.at, Date.now()) },
      { head: "ALIAS", cell: (move) => move.alias },
      { head: "MOVE", cell: (move) => `${move.from ?? "new"} -> ${move.to}` },
      { head: "KIND", cell: (move) => move.kind },
      { head: "BY", cell: (move) => move.who },
      { head: "WHY", cell: (move) => move.why || "-" },
    ],
    "no alias was ever set",
  );
  const labels = labelFields(view);
  return [...(labels.length === 0 ? [] : [fields(labels)]), versions, ...nextLines(view), moves].join("\n\n");
}

/** What `--best` and `rollback` would do now, and which aliases serve nothing. */
function nextLines({ best, idle, model, rollbacks }: ShownModel): readonly string[] {
  const lines = [
    ...(best === null ? [] : [`best is ${model}@${best.version}: ${best.why}`]),
    ...rollbacks.map(({ alias, version, why }) => `${alias} would roll back to ${model}@${version}: ${why}`),
    ...idle.map(({ alias, version }) => `${alias} points to ${model}@${version}, which is removed`),
  ];
  return lines.length === 0 ? [] : [lines.join("\n")];
}

/** One version: what people say of it, what it can do, what it costs; `model lineage` says where it comes from. */
export function versionText(shown: ShownVersion): string {
  const { aliases, model, sweep, trial, version } = shown;
  const { dataset, epoch, removed } = version;
  return fields([
    ["model", `${model}@${version.version}${aliases.length > 0 ? `, called ${aliases.join(", ")}` : ""}`],
    ...labelFields(version),
    ...(removed === undefined ? [] : [["removed", removedText(removed)] as const]),
    ...signatureFields(shown),
    ["metrics", formatMetrics(version.metrics, version.objective?.metric)],
    ["trained by", `${version.model} of ${version.task}, code ${version.codeVersion}`],
    ["parameters", formatParams(version.params)],
    ["dataset", dataset === null ? "none" : `${dataset.name}, ${plural(dataset.rows.train, "training row")}`],
    [
      "trial",
      `${trial.trial} of ${sweep.sweep} (${sweep.name})${epoch === undefined ? "" : ` at epoch ${epoch}`}`,
    ],
    ["size", formatBytes(version.bytes)],
    ...measuredFields(version),
    ["tokens", formatTokens(version.spent)],
    ["registered", `${formatTime(version.at, Date.now())} for ${version.requester}`],
    ["artifact", version.artifact],
  ]);
}

function rowTime({ measured }: ShownModel["versions"][number]): string {
  return measured === undefined ? "-" : formatMicros(measured.rowUs);
}

/** Of one machine, as it was found when it loaded the version. */
function measuredFields({ measured }: ShownVersion["version"]): readonly (readonly [string, string])[] {
  if (measured === undefined) return [];
  const { at, batchRowUs, batchRows, machine, memoryBytes, rowUs } = measured;
  const alone = `${formatMicros(rowUs)} a row alone`;
  const together = `${formatMicros(batchRowUs)} in batches of ${batchRows}`;
  return [
    [
      "measured",
      `${alone}, ${together}, ${formatBytes(memoryBytes)} in memory; on ${machine} ${formatTime(at, Date.now())}`,
    ],
  ];
}

/** Of inputs and labels so many are named. */
const namedMax = 20;

/** What it takes and what it gives. */
function signatureFields({
  signature,
  unknown,
}: Pick<ShownVersion, "signature" | "unknown">): readonly (readonly [string, string])[] {
  if (signature === null) return [["takes", `not known here: ${unknown ?? ""}`]];
  const { inputs, labels, target, tensors } = signature;
  const described = [
    ...(tensors === undefined ? [] : [["tensors", someOf(tensors.inputs.map(describeTensor))] as const]),
    ...(tensors === undefined ? [] : [["give", someOf(tensors.outputs.map(describeTensor))] as const]),
  ];
  if (inputs.length === 0) return described;
  const takes = inputs.map(({ kind, name, optional }) => `${name} (${kind}${optional ? ", optional" : ""})`);
  const gives = labels === null ? "a number" : `one of ${plural(labels.length, "label")}: ${someOf(labels)}`;
  return [["takes", someOf(takes)], ["gives", `${target}, ${gives}`], ...described];
}

function someOf(names: readonly string[]): string {
  const more = names.length - namedMax;
  return [...names.slice(0, namedMax), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
