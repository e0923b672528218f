/** The artifact bench's machines, few and small: they find each other by the tracker, and a folder comes out as it went in. Not how fast. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BenchMachine } from "../../bench/artifact/bench-machine.ts";
import { BenchPlace } from "../../bench/artifact/bench-place.ts";
import { freePort } from "../../bench/artifact/object-store-lane.ts";
import { pairRound } from "../../bench/artifact/pair-lane.ts";
import { smallFileRound } from "../../bench/artifact/small-file-lane.ts";
import { skipWithoutNats, TestNatsServer } from "../support/nats-server.ts";

const bytesPerMiB = 2 ** 20;

test("machines of the bench find each other by the tracker", { skip: skipWithoutNats }, async () => {
  const nats = await TestNatsServer.start();
  const place = new BenchPlace();
  const machines: BenchMachine[] = [];
  const begin = async (
    role: "track" | "serve" | "receive",
    name: string,
    folder: string,
    artifact: string,
  ) => {
    const identity = place.identity(name);
    const port = role === "track" ? 0 : await freePort();
    const machine = new BenchMachine({ role, name, identity, folder, artifact, port, server: nats.url });
    machines.push(machine);
    await machine.port();
    return machine;
  };
  try {
    const source = await place.artifact(3);
    await begin("track", "tracker", "", "");
    const first = await begin("serve", "m0", source.folder, source.digest);
    const receivers = [1, 2].map((index) => begin("receive", `m${index}`, place.newFolder(), source.digest));
    const all = await Promise.all(receivers);
    for (const one of all) one.begin();
    for (const { bytes } of await Promise.all(all.map((one) => one.measured())))
      assert.equal(bytes, 3 * bytesPerMiB);
    assert.ok((await first.sent()).bytes >= 3 * bytesPerMiB);
  } finally {
    for (const one of machines) await one.stop();
    place.close();
    await nats.stop();
  }
});

test("a folder of small files goes from one machine's store to another's", async () => {
  const place = new BenchPlace();
  try {
    const { bytes, files } = await smallFileRound(place, 1_200);
    assert.equal(files, 1_200);
    assert.ok(bytes > files);
    const { bytes: received } = await pairRound(place, await place.artifact(2));
    assert.equal(received, 2 * bytesPerMiB);
  } finally {
    place.close();
  }
});
