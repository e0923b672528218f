// Artifacts that the mesh's store has lost or holds wrong: read by an agent that needs them, stored again by one that has them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DamagePlace } from "../campaign/damage/damage-kind.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

/** Every byte of them, so that whatever is read is not what was stored. */
function spoil(file: string): void {
  writeFileSync(
    file,
    readFileSync(file).map((byte) => byte ^ 1),
  );
}

const ways: readonly (readonly [what: string, spoil: (file: string) => void])[] = [
  ["cut off", (file) => truncateSync(file, 40)],
  ["written over", spoil],
];

describe("blobs", { skip: skipWithoutNats }, () => {
  for (const [what, damage] of ways) {
    test(`BLOB-6: with the server's blobs ${what}, an agent gets its checkpoints from another's cache, by way of the store`, async () => {
      const mesh = new LiveMesh();
      try {
        const up = await mesh.up("--port", "0", "--slots", "2");
        const first = { name: "first", trials: 3, epochs: 2, milliseconds: 20, seed: 1 };
        await mesh.ended(await mesh.submit(first));
        await up.end("SIGTERM");
        const place = new DamagePlace(mesh.homePath(LiveMesh.home), "mesh", LiveMesh.home);
        const folder = join(place.streamFolder("BLOBS"), "msgs");
        for (const name of readdirSync(folder)) if (name.endsWith(".blk")) damage(join(folder, name));
        const again = await mesh.up("--port", "0", "--slots", "2");
        await mesh.agentThat(LiveMesh.home, ({ state }) => state !== "silent");
        await mesh.joinAgent("two", "--slots", "2");
        await mesh.cordon(LiveMesh.home, true);
        const further = valueOf(await mesh.launch("owner", { ...first, name: "further", epochs: 4 }));
        const { summary, trials } = await mesh.ended(further);
        assert.equal(summary.counts.completed, 3, `${JSON.stringify(trials)}\n${again.said}`);
        assert.ok(trials.every(({ attempts }) => attempts.every(({ agent }) => agent === "two")));
        assert.match(again.said, /artifact [0-9a-f]{12} is wanted and is not whole; asking for its bytes/);
      } finally {
        await mesh.close();
      }
    });
  }
});
