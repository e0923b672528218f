/** Who is revoked while the server is away is told so in coming back, not left waiting for ever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAs } from "../../mesh/connect.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { CutProxy } from "../campaign/kills/cut-proxy.ts";
import { until } from "../support/until.ts";
import { nowS, openOwnMesh, valueOf, withoutServer } from "./own-mesh.ts";

test(
  "BUS-12: revoked while the server was down: closed, with the reason",
  { skip: withoutServer },
  async () => {
    const own = await openOwnMesh("refused");
    // Its way there answers while nobody serves at its end.
    const proxy = await CutProxy.open(() => own.server().port);
    try {
      const credential = valueOf(await ensureCredential(own.home, "agent", "red", nowS()));
      const bus = valueOf(
        await connectAs({ ...own.home, url: `nats://127.0.0.1:${proxy.port}` }, credential),
      );
      process.kill(own.server().pid, "SIGKILL");
      await own.server().exited;
      valueOf(await revokeUser(own.home, "red", nowS(), "agent"));
      await own.restart();
      await until("the end of the connection", () => (bus.status() === "closed" ? true : null));
      assert.match(bus.closedReason() ?? "", /revoked/);
    } finally {
      proxy.close();
      await own.close();
    }
  },
);
