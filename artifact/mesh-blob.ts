/** Bytes into the mesh and out of it, for the command line: what a bus may throw becomes a sentence. */
import { setTimeout as sleep } from "node:timers/promises";
import { putBlob, type BlobPlace } from "./blob.ts";
import { readBlob } from "./read-blob.ts";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import { shortDigest } from "../text/figure.ts";

export function placeOf(mesh: string): BlobPlace {
  const { blob, prove } = subjectsOf(mesh);
  return { stream: streamsOf(mesh).blobs, subjectOf: blob, prove };
}

/** True when the bytes had to be sent, false when the mesh had them. */
export async function sendBlob(bus: Bus, mesh: string, bytes: Uint8Array): Promise<Outcome<boolean>> {
  try {
    const { stored } = await putBlob(bus, placeOf(mesh), bytes);
    return accept(stored);
  } catch (error) {
    return unavailable(error, "sent to the mesh");
  }
}

/** The bytes of this digest, verified. */
export async function fetchBlob(bus: Bus, mesh: string, digest: Digest): Promise<Outcome<Uint8Array>> {
  const what = `artifact ${shortDigest(digest)}`;
  try {
    const reading = await readBlob(bus, placeOf(mesh), digest, (ms) => sleep(ms));
    switch (reading.kind) {
      case "read":
        return accept(reading.bytes);
      case "missing":
      case "incomplete":
        return refuse("unavailable", `${what} is not in the mesh's store`);
      case "corrupt":
        return refuse(
          "conflict",
          `${what} was damaged in the mesh's store, and no agent that runs has it whole`,
        );
      case "too-large":
        return refuse("unavailable", `${what} has ${reading.bytes} bytes, more than this command takes`);
    }
  } catch (error) {
    return unavailable(error, "read from the mesh");
  }
}

function unavailable(error: unknown, what: string): Outcome<never> {
  if (!(error instanceof BusError)) throw error;
  return refuse(
    error.kind === "denied" ? "forbidden" : "unavailable",
    `the data cannot be ${what}: ${error.message}`,
  );
}
