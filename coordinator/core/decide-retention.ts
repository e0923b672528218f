/** Decides on what is kept and for how long: pins, how many checkpoints, a look at what could go. */
import type { CommandBody } from "../../protocol/command.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { logsMsOf, retentionOf } from "../collect/default-retention.ts";
import { isHeld } from "../state/bytes-held.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";

/** Each stands in every look at what could go. */
const pinsMax = 10_000;

export function* pinArtifact(
  state: State,
  { who }: Sender,
  { digest, forMs, why }: CommandBody<"artifact-pin">,
  at: number,
): Decision {
  if (!isHeld(state, digest)) {
    const message = `artifact ${digest.slice(0, 12)} is no longer kept, so it cannot be pinned; whoever has its bytes can put them again`;
    return refuse("conflict", message, ["digest"]);
  }
  const before = state.pins.get(digest);
  if (before === undefined && state.pins.size >= pinsMax)
    return refuse("conflict", `${pinsMax} artifacts are pinned, and no more can be`, ["digest"]);
  const until = forMs === null ? null : at + forMs;
  // A shorter stay does not end a longer one.
  if (before === undefined || (before.until !== undefined && (until === null || until > before.until)))
    yield { kind: "ArtifactPinned", digest, by: who, why, ...(until === null ? null : { until }) };
  return accept({ digest, until: state.pins.get(digest)?.until ?? null });
}

export function* unpinArtifact(
  state: State,
  { role, who }: Sender,
  { digest }: CommandBody<"artifact-unpin">,
): Decision {
  const pin = state.pins.get(digest);
  if (pin === undefined)
    return refuse("conflict", `artifact ${digest.slice(0, 12)} is not pinned`, ["digest"]);
  if (pin.by !== who && role !== "owner") {
    const message = `${pin.by} pinned artifact ${digest.slice(0, 12)}; they or an owner can take that away`;
    return refuse("forbidden", message, ["digest"]);
  }
  yield { kind: "ArtifactUnpinned", digest, by: who };
  return accept({ digest });
}

export function* askCollection(
  _state: State,
  { who }: Sender,
  { graceMs }: CommandBody<"gc-run">,
  at: number,
): Decision {
  yield { kind: "CollectionAsked", by: who, ...(graceMs === null ? null : { graceMs }) };
  return accept({ at });
}

export function* setRetention(state: State, { who }: Sender, body: CommandBody<"retention-set">): Decision {
  const now = retentionOf(state);
  const retention = {
    checkpoints: body.checkpoints ?? now.checkpoints,
    removedMs: body.removedMs ?? now.removedMs,
    graceMs: body.graceMs ?? now.graceMs,
    uploadMs: body.uploadMs ?? now.uploadMs,
    logsMs: body.logsMs ?? logsMsOf(now),
  };
  if (JSON.stringify(retention) !== JSON.stringify(now)) yield { kind: "RetentionSet", by: who, retention };
  return accept(retention);
}
