/** A large artifact through the mesh's store and into a machine's: what is in memory of it is a window. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { nameFile } from "../../artifact/name-artifact.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { streamSpecsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { BlobProver } from "../../coordinator/leader/blob-prover.ts";
import { serveProofs } from "../../coordinator/leader/serve-proofs.ts";
import { madeBytes } from "../support/artifact-child.ts";
import { skipWithoutNats, TestNatsServer } from "../support/nats-server.ts";

const fileMiB = Number(process.env["TRIALMESH_TEST_FILE_MIB"] ?? 256);
/** Of which Node and the modules have some 85, and what the bus took in and has let go of most of the rest. */
const rssMiBMax = 240;
const folder = mkdtempSync(join(tmpdir(), "trialmesh-large-"));

test(
  `a file of ${fileMiB} MiB is sent and fetched in less than ${rssMiBMax} MiB of memory`,
  { skip: skipWithoutNats },
  async () => {
    const server = await TestNatsServer.start();
    const lead: Bus = await connectBus({ servers: server.url, name: "lead", inboxPrefix: "_INBOX_lead" });
    try {
      for (const spec of streamSpecsOf("m", 1, "secret")) await lead.ensureStream(spec);
      serveProofs(
        lead,
        "m",
        new BlobProver({
          ...{ bus: lead, mesh: "m", clock: systemClock, log: () => undefined },
          ...{ leavesBefore: () => null, isGone: () => false },
        }),
      );
      const path = join(folder, "large");
      const file = openSync(path, "w");
      for (let n = 0; n < fileMiB; n++) writeSync(file, madeBytes(bytesPerMiB, n + 1));
      closeSync(file);
      const { digest } = await nameFile(path);
      const child = fileURLToPath(new URL("../support/artifact-mesh-child.js", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [
        child,
        server.url,
        folder,
        path,
        digest,
      ]);
      const said = JSON.parse(stdout) as { ok: boolean; rssMiB: number };
      assert.ok(said.ok, stdout);
      assert.ok(said.rssMiB < rssMiBMax, stdout);
    } finally {
      await lead.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);
