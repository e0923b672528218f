/** How a home's server starts, fails and stops, and what it leaves on the disk. */
import { jetstreamManager } from "@nats-io/jetstream";
import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ensureCredential } from "../../mesh/admission.ts";
import { saveHome } from "../../mesh/home.ts";
import { runningServerPid, startServer, stopServer } from "../../mesh/server-process.ts";
import { processIsAlive } from "../../system/process-alive.ts";
import {
  connectAs,
  messageOf,
  minted,
  nowS,
  openOwnMesh,
  serverBinary,
  temporaryFolder,
  valueOf,
  withoutServer,
  type OwnMesh,
} from "./own-mesh.ts";

let own: OwnMesh;
before(async () => {
  if (withoutServer === false) own = await openOwnMesh("served");
});
after(async () => {
  if (withoutServer === false) await own.close();
});
const live = { skip: withoutServer };

test("SRV-1: seeds, credentials and records are 0600 and every folder of the home 0700", live, async () => {
  valueOf(await ensureCredential(own.home, "owner", "root", nowS()));
  const secret = ["keys", "creds", "users"].flatMap((folder) =>
    readdirSync(join(own.home.path, folder)).map((file) => join(own.home.path, folder, file)),
  );
  assert.ok(secret.length >= 6, "four seeds, a credential and its record");
  for (const file of [...secret, join(own.home.path, "mesh.json")]) {
    assert.equal((statSync(file).mode & 0o777).toString(8), "600", file);
  }
  for (const folder of [
    own.home.path,
    ...["keys", "creds", "users", "server"].map((name) => join(own.home.path, name)),
  ]) {
    assert.equal((statSync(folder).mode & 0o777).toString(8), "700", folder);
  }
});

test("SRV-2: a second server for the same home is refused while the first runs", live, async () => {
  assert.equal(runningServerPid(own.home), own.server().pid);
  const again = await startServer({ home: own.home, binary: serverBinary ?? "", port: 0 });
  assert.match(messageOf(again), new RegExp(`already runs \\(process ${own.server().pid}\\)`));
});

test("SRV-3: a taken port is named, with how to choose another", live, async () => {
  const folder = temporaryFolder();
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(0, "127.0.0.1", done));
  const address = holder.address();
  assert.ok(address !== null && typeof address === "object");
  const home = valueOf(saveHome(join(folder.path, "home"), "taken", "nats://127.0.0.1:4222"));
  const message = messageOf(await startServer({ home, binary: serverBinary ?? "", port: address.port }));
  assert.equal(
    message,
    `port ${address.port} on 127.0.0.1 is taken by another program; choose another with --port N, or --port 0 for any free one`,
  );
  await new Promise((done) => holder.close(done));
  folder.remove();
});

test(
  "SRV-4: a server that cannot start is told with its own reason; a file that is no server, by its path",
  live,
  async () => {
    const folder = temporaryFolder();
    const home = valueOf(saveHome(join(folder.path, "home"), "broken", "nats://127.0.0.1:4222"));
    const fake = join(folder.path, "not-a-server");
    writeFileSync(fake, "#!/bin/sh\nexit 3\n");
    chmodSync(fake, 0o755);
    assert.match(
      messageOf(await startServer({ home, binary: fake, port: 0 })),
      /not-a-server is not a nats-server that runs on this machine/,
    );
    writeFileSync(join(home.path, "server", "store"), "a file where JetStream wants its folder");
    assert.match(messageOf(await startServer({ home, binary: serverBinary ?? "", port: 0 })), /store/);
    assert.equal(runningServerPid(home), null);
    folder.remove();
  },
);

test(
  "SRV-5: streams outlive kill -9 and a restart; the exit is told to whoever started it",
  live,
  async () => {
    const credential = await minted(own.home, "coordinator", "lead");
    const connection = await connectAs(own.home, credential);
    await (
      await jetstreamManager(connection)
    ).streams.add({ name: "TM_served_JOURNAL", subjects: ["tm.v1.served.journal"] });
    const first = own.server();
    process.kill(first.pid, "SIGKILL");
    const exit = await first.exited;
    assert.equal(exit.code, null);
    assert.match(exit.reason, /SIGKILL/);
    await connection.closed();
    await own.restart();
    assert.equal(own.server().port, first.port);
    const again = await connectAs(own.home, credential);
    assert.equal(
      (await (await jetstreamManager(again)).streams.info("TM_served_JOURNAL")).config.name,
      "TM_served_JOURNAL",
    );
    await again.close();
  },
);

test("SRV-6: another process may stop the server by its home alone", live, async () => {
  const { pid } = own.server();
  assert.equal(await stopServer(own.home), true);
  assert.equal(runningServerPid(own.home), null);
  assert.equal(processIsAlive(pid), false);
  assert.equal(await stopServer(own.home), false);
});
