/**
 * REG-8: one version of a model: what the record has of it, and its signature, which is read from its bytes and from the plan of its data, as
 * whatever serves it does. A version that cannot be opened here is shown without, and it is said why.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { Signature } from "../../serving/model/served-model.ts";
import type { Surroundings } from "../../system/environment.ts";
import { formatBytes } from "../../text/figure.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import type { ModelReference } from "./model-reference.ts";

/** Model and data together; what is larger is not brought here only to be looked at. */
const openedMaxMiB = 512;

export interface ShownVersion extends LineageView {
  /** Null where it is not known. */
  readonly signature: Signature | null;
  /** Why it is not known; null where it is. */
  readonly unknown: string | null;
}

export async function showVersion(
  connected: Connected,
  wanted: ModelReference,
  { environment }: Pick<Surroundings, "environment">,
): Promise<Outcome<ShownVersion>> {
  const lineage = await connected.client.query("lineage", wanted);
  if (!lineage.ok) return lineage;
  const signature = await signatureFor(connected, lineage.value, environment);
  return accept({
    ...lineage.value,
    signature: signature.ok ? signature.value : null,
    unknown: signature.ok ? null : signature.refusal.message,
  });
}

async function signatureFor(
  connected: Connected,
  { model, version }: LineageView,
  environment: Surroundings["environment"],
): Promise<Outcome<Signature>> {
  const { bytes, dataset, removed } = version;
  if (removed !== undefined) return refuse("unknown", "it is removed");
  const size = bytes + (dataset?.bytes ?? 0);
  if (size > openedMaxMiB * bytesPerMiB)
    return refuse(
      "unavailable",
      `model and data have ${formatBytes(size)}, more than is fetched to be looked at`,
    );
  const { openModel } = await import("./open-model.ts");
  const reference = `${model}@${version.version}`;
  const opened = await openModel(connected, reference, { environment, say: () => undefined });
  if (!opened.ok) return opened;
  const { signature, tensors } = opened.value;
  opened.value.dispose();
  return accept(
    tensors === undefined
      ? signature
      : { ...signature, tensors: { inputs: tensors.inputs, outputs: tensors.outputs } },
  );
}
