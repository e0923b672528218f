/** Who sends more than one identity may, by samples of what the server has counted. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { SaidLimit } from "../../agent/said-limit.ts";
import { chunkBytes } from "../../artifact/blob.ts";
import { sampleEveryMs, silenceMs, TrafficQuota, type Received } from "../../mesh/traffic-quota.ts";
import { bytesPerGiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { saidOfAttemptRate } from "../../protocol/said-rate.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const dayMs = 24 * 3_600_000;

/** Samples of senders, each with what it sends between two of them. */
function run(
  quota: TrafficQuota,
  senders: Record<string, Received>,
  samples: number,
  from = 0,
  everyMs = sampleEveryMs,
) {
  const said: string[] = [];
  for (let n = 0; n < samples; n++) {
    const received = new Map(
      Object.entries(senders).map(([identity, { bytes, messages }]) => [
        identity,
        { messages: messages * (from + n), bytes: bytes * (from + n) },
      ]),
    );
    for (const { held, identity } of quota.sample(received, (from + n) * everyMs))
      said.push(`${n} ${identity} ${held}`);
  }
  return said;
}

test("QUOTA-6: a flood is cut off after two samples, heard again when it ends, and nobody else is touched", () => {
  const quota = new TrafficQuota(1_000 * bytesPerGiB);
  const wild = { messages: 60_000, bytes: bytesPerMiB };
  assert.deepEqual(run(quota, { wild, calm: { messages: 39_000, bytes: 300 * bytesPerMiB } }, 3), [
    "2 wild all",
  ]);
  assert.equal(quota.heldOf("wild"), "all");
  assert.equal(quota.heldOf("calm"), null);
  // The server counts what it does not pass on as well: silence is counted from the flood's end.
  const still = new Map([["wild", { messages: 120_000, bytes: 2 * bytesPerMiB }]]);
  const changes: string[] = [];
  for (let at = 3 * sampleEveryMs; at <= 3 * sampleEveryMs + silenceMs; at += sampleEveryMs)
    for (const { held, identity } of quota.sample(still, at)) changes.push(`${identity} ${held}`);
  assert.deepEqual(changes, ["wild null"]);
});

test("QUOTA-6: one burst is no flood, nor is a server that counts anew", () => {
  const quota = new TrafficQuota(1_000 * bytesPerGiB);
  const sample = (messages: number, at: number) =>
    quota.sample(new Map([["one", { messages, bytes: messages }]]), at);
  for (const [n, messages] of [0, 90_000, 90_010, 180_000, 5, 10, 90_000, 90_005].entries())
    assert.deepEqual(sample(messages, n * sampleEveryMs), []);
});

test("QUOTA-6: who has sent a day's bytes stores nothing more until some of that is a day ago", () => {
  const quota = new TrafficQuota(10 * bytesPerGiB);
  const hourMs = dayMs / 24;
  const big = { messages: 100, bytes: bytesPerGiB };
  const said = run(quota, { big, small: { messages: 10, bytes: bytesPerMiB } }, 14, 0, hourMs);
  assert.deepEqual(said, ["11 big artifacts"]);
  const rest = new Map([["big", { messages: 1_300, bytes: 13 * bytesPerGiB }]]);
  let freedAt = 0;
  for (let hour = 14; hour < 48 && freedAt === 0; hour++)
    if (quota.sample(rest, hour * hourMs).some(({ held }) => held === null)) freedAt = hour;
  assert.ok(freedAt > 24 && freedAt <= 29, `${freedAt}`);
});

test("QUOTA-6: nobody that keeps to a rate below is ever held, whatever others do", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200_000), { maxLength: 200 }), (floods) => {
      const quota = new TrafficQuota(1_000 * bytesPerGiB);
      let [wild, calm] = [0, 0];
      for (const [n, messages] of floods.entries()) {
        wild += messages;
        calm += 39_000;
        quota.sample(
          new Map([
            ["wild", { messages: wild, bytes: wild * 100 }],
            ["calm", { messages: calm, bytes: calm * 100 }],
          ]),
          n * sampleEveryMs,
        );
        assert.equal(quota.heldOf("calm"), null);
      }
    }),
  );
});

test("QUOTA-6: an agent whose trials say as much as they can is never held, and sends most of what it may", () => {
  fc.assert(
    fc.property(
      // What each of some attempts says in each of some spans of 100 ms.
      fc.array(fc.array(fc.nat(5_000), { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 60 }),
      fc.nat(500),
      (spans, others) => {
        let now = 0;
        const told: string[] = [];
        const said = new SaidLimit({ monotonic: () => now }, (line) => told.push(line));
        const quota = new TrafficQuota(1_000 * bytesPerGiB);
        let [sent, leftOut] = [0, 0];
        // Reports, answers and heartbeats, and chunks at what the bytes allow.
        const sample = () => {
          const chunks = (now / 1_000) * (bytesPerGiB / chunkBytes);
          const messages = sent + (now / 100) * others + chunks;
          quota.sample(new Map([["fast", { messages, bytes: chunks * chunkBytes }]]), now);
          assert.equal(quota.heldOf("fast"), null);
        };
        sample();
        for (const attempts of spans) {
          for (const [fence, messages] of attempts.entries())
            for (let n = 0; n < messages; n++) {
              if (said.allows(fence)) sent++;
              else leftOut++;
            }
          now += 100;
          if (now % sampleEveryMs === 0) sample();
        }
        assert.equal(told.length, leftOut === 0 ? 0 : 1);
        if (leftOut > 0) assert.ok(sent >= saidOfAttemptRate.atOnce);
      },
    ),
    { numRuns: 50 },
  );
});

test("QUOTA-6: an attempt that says too much leaves room for the others of its agent", () => {
  const said = new SaidLimit(new VirtualClock(), () => undefined);
  for (let n = 0; n < 100_000; n++) said.allows(1);
  for (let n = 0; n < saidOfAttemptRate.atOnce; n++) assert.ok(said.allows(2));
  assert.ok(!said.allows(2));
});
