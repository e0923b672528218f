/** What an agent's `step` asks of its shell, as data; the shell carries it out in order. */
import type { Fence } from "../../protocol/id.ts";
import type { Lease } from "../../protocol/order.ts";
import type { Metrics, Report } from "../../protocol/report.ts";
import type { Job, StopHow } from "../runner/runner.ts";

export interface SharedFile {
  readonly path: string;
  readonly digest: string;
}

export type AgentEffect =
  | { readonly kind: "register" }
  | { readonly kind: "fetch"; readonly lease: Lease }
  | { readonly kind: "start"; readonly lease: Lease; readonly job: Omit<Job, "checkpointDir" | "memoryMiB"> }
  | { readonly kind: "stop"; readonly fence: Fence; readonly how: StopHow }
  | { readonly kind: "suspend"; readonly fence: Fence }
  | { readonly kind: "resume"; readonly fence: Fence }
  /** Put the files into the mesh's store, then come back with `shared`. */
  | { readonly kind: "share"; readonly files: readonly SharedFile[]; readonly report: Report }
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "metric"; readonly lease: Lease; readonly resource: number; readonly metrics: Metrics }
  | { readonly kind: "log"; readonly lease: Lease; readonly stream: "out" | "err"; readonly line: string };
