/** Slots given up on a live mesh: for another requester's share, for a drain, after a cordon. Whom to ask is decided in core. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { LiveMesh, valueOf, type SweepOptions } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const timeout = 110_000;
const epochMs = 200;
const grant = 500 * milliTokensPerToken;

describe("PREEMPT: slots that are given up", { skip: skipWithoutNats, timeout }, () => {
  const mesh = new LiveMesh();

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    const [owner] = await Promise.all([mesh.person("owner"), mesh.joinAgent("two", "--slots", "1")]);
    for (const requester of ["greedy", "modest"])
      valueOf(await owner.client.command("account-open", { requester, weight: 1, grant }));
  });
  after(() => mesh.close());

  const launch = async (requester: string, options: Omit<SweepOptions, "milliseconds">) =>
    valueOf(await mesh.launch(requester, { ...options, milliseconds: epochMs }));
  const allRun = (sweep: string, count: number) =>
    mesh.trialThat(sweep, `${count} running`, ({ state }) => state === "running").then(() =>
      mesh.sweepThat(sweep, `${count} running trials`, ({ summary }) => summary.counts.running === count),
    );
});
