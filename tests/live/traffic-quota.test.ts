/** Holding back, on a real server: who floods or has stored too much is not heard for a while, and others are. */
import type { NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { putBlob } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { issueHere } from "../../mesh/admission.ts";
import { connectAs as busAs } from "../../mesh/connect.ts";
import { messagesPerSecondMax } from "../../mesh/traffic-quota.ts";
import { watchTraffic, type TrafficWatch } from "../../mesh/part/watch-traffic.ts";
import { BusError } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { streamSpecsOf, subjectsOf } from "../../protocol/subjects.ts";
import { until } from "../support/until.ts";
import { connectAs, nowS, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

const mesh = "held";
const subjects = subjectsOf(mesh);

describe("QUOTA-6: who sends too much is held back", { skip: withoutServer, timeout: 120_000 }, () => {
  let own: OwnMesh;
  let watch: TrafficWatch;
  let lead: NatsConnection;
  const said: string[] = [];
  before(async () => {
    own = await openOwnMesh(mesh);
    const coordinator = valueOf(await issueHere(own.home, "coordinator", "lead", nowS()));
    const bus = valueOf(await busAs(own.home, coordinator));
    for (const spec of streamSpecsOf(mesh, 1, "secret")) await bus.ensureStream(spec);
    await bus.close();
    lead = await connectAs(own.home, coordinator);
    const bytesPerDay = 20 * bytesPerMiB;
    watch = valueOf(
      await watchTraffic({ home: own.home, bytesPerDay, now: Date.now, log: (line) => said.push(line) }),
    );
  });
  after(async () => {
    await watch.stop();
    await lead.close();
    await own.close();
  });

  test("a flood is not heard after some seconds, and another agent is", async () => {
    const [wild, calm] = [
      await connectAs(own.home, valueOf(await issueHere(own.home, "agent", "wild", nowS()))),
      await connectAs(own.home, valueOf(await issueHere(own.home, "agent", "calm", nowS()))),
    ];
    const heard = { wild: 0, calm: 0 };
    for (const name of ["wild", "calm"] as const)
      lead.subscribe(subjects.heartbeat(name), { callback: () => void heard[name]++ });
    await lead.flush();
    await until("the flood to be held back", async () => {
      for (let n = 0; n < 20_000; n++) wild.publish(subjects.heartbeat("wild"), "x");
      await wild.flush();
      return said.some((line) =>
        line.startsWith(`quotas: agent wild sends more than ${messagesPerSecondMax} messages`),
      )
        ? true
        : null;
    });
    await until("nothing more of it to arrive", async () => {
      const before = heard.wild;
      for (let n = 0; n < 100; n++) wild.publish(subjects.heartbeat("wild"), "x");
      await wild.flush();
      await lead.flush();
      return heard.wild === before ? true : null;
    });
    calm.publish(subjects.heartbeat("calm"), "x");
    await calm.flush();
    await until("the other's heartbeat", async () => {
      await lead.flush();
      return heard.calm === 1 ? true : null;
    });
    await wild.close();
    await calm.close();
  });

  test("who has sent a day's bytes stores no artifact more, reads on, and another stores", async () => {
    const big = valueOf(
      await busAs(own.home, valueOf(await issueHere(own.home, "requester", "big", nowS()))),
    );
    const other = valueOf(
      await busAs(own.home, valueOf(await issueHere(own.home, "requester", "other", nowS()))),
    );
    const place = placeOf(mesh);
    const bytesOf = (salt: number) => Buffer.alloc(3 * bytesPerMiB, `${salt}-`);
    const first = await putBlob(big, place, bytesOf(0));
    let stored = 1;
    await until("the refusal", async () => {
      try {
        await putBlob(big, place, bytesOf(stored));
        stored += 1;
        return null;
      } catch (error) {
        if (error instanceof BusError) return true;
        throw error;
      }
    });
    assert.ok(stored >= 6, `${stored} of 3 MiB were stored`);
    assert.match(
      said.join("\n"),
      /quotas: requester big has sent more than 20\.0 MiB in a day; no artifacts of it/,
    );
    assert.notEqual(
      await big.getMessage(place.stream, place.subjectOf(first.digest, 0)),
      null,
      "reading goes on",
    );
    assert.equal((await putBlob(other, place, bytesOf(77_777))).stored, true);
    await big.close();
    await other.close();
  });
});
