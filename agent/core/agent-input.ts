/** The input of an agent's `step`: orders, what its runner and its cache did, its owner's availability, the time. Parsed already. */
import type { Serving } from "../../protocol/deployment.ts";
import type { Fence } from "../../protocol/id.ts";
import type { CancelHow, Lease } from "../../protocol/order.ts";
import type { Contents } from "../../protocol/report-message.ts";
import type { Report } from "../../protocol/report.ts";
import type { Availability } from "../owner/availability.ts";
import type { RunnerEvent } from "../runner/runner.ts";
import type { Brought, LeaseFiles } from "./agent-state.ts";

export type AgentInput =
  | { readonly kind: "beacon"; readonly epoch: number; readonly at: number }
  | {
      readonly kind: "welcomed";
      readonly epoch: number;
      readonly at: number;
      readonly askedAt: number;
      /** So many bytes of a checkpoint may go with its report; left out where none may. */
      readonly carries?: number | undefined;
    }
  | { readonly kind: "offer"; readonly epoch: number; readonly leases: readonly Lease[] }
  | {
      readonly kind: "extend";
      readonly epoch: number;
      readonly leases: readonly { readonly fence: Fence; readonly at: number; readonly horizonMs: number }[];
    }
  | {
      readonly kind: "cancel";
      readonly epoch: number;
      readonly fences: readonly Fence[];
      readonly how?: CancelHow;
    }
  | {
      readonly kind: "serve";
      readonly epoch: number;
      readonly replicas: readonly { readonly fence: Fence; readonly serving: Serving }[];
    }
  | { readonly kind: "brought"; readonly fence: Fence; readonly serving: Serving; readonly brought: Brought }
  | { readonly kind: "drain"; readonly epoch: number; readonly drain: boolean }
  | { readonly kind: "owner"; readonly availability: Availability }
  | {
      readonly kind: "fetched";
      readonly fence: Fence;
      readonly files: LeaseFiles;
    }
  | { readonly kind: "fetch-failed"; readonly fence: Fence; readonly reason: string }
  | { readonly kind: "runner"; readonly event: RunnerEvent }
  | { readonly kind: "shared"; readonly report: Report; readonly contents?: Contents }
  | { readonly kind: "share-failed"; readonly report: Report; readonly reason: string }
  | { readonly kind: "tick" }
  | { readonly kind: "leave" };
