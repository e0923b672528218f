/** What an agent's `step` asks of its shell, as data; the shell carries it out in order. */
import type { Serving } from "../../protocol/deployment.ts";
import type { Fence } from "../../protocol/id.ts";
import type { Lease } from "../../protocol/order.ts";
import type { Contents } from "../../protocol/report-message.ts";
import type { Metrics, Report } from "../../protocol/report.ts";
import type { Job, StopHow } from "../runner/runner.ts";

export interface SharedFile {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** Its bytes, where they are in memory; there is no file then. */
  readonly content?: Uint8Array | undefined;
}

export type AgentEffect =
  | { readonly kind: "register" }
  | { readonly kind: "fetch"; readonly lease: Lease }
  | { readonly kind: "start"; readonly lease: Lease; readonly job: Omit<Job, "checkpointDir" | "memoryMiB"> }
  | { readonly kind: "stop"; readonly fence: Fence; readonly how: StopHow }
  | { readonly kind: "suspend"; readonly fence: Fence }
  | { readonly kind: "resume"; readonly fence: Fence }
  /** Fetch what a replica is to answer with, then come back with `brought`. */
  | { readonly kind: "bring"; readonly lease: Lease; readonly serving: Serving }
  | {
      readonly kind: "serve";
      readonly fence: Fence;
      readonly serving: Serving;
      readonly parts: Job["parts"];
    }
  /** Send a heartbeat now. */
  | { readonly kind: "beat" }
  /** Put the files into the mesh's store, or read them where they may go with the report, then come back with `shared`. */
  | { readonly kind: "share"; readonly files: readonly SharedFile[]; readonly report: Report }
  /** `contents`: the bytes that go with it. */
  | { readonly kind: "report"; readonly report: Report; readonly contents?: Contents }
  | { readonly kind: "metric"; readonly lease: Lease; readonly resource: number; readonly metrics: Metrics }
  | { readonly kind: "log"; readonly lease: Lease; readonly stream: "out" | "err"; readonly line: string };
