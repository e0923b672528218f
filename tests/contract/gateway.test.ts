/** GATEWAY: one address before replicas that come, go and stand still; answers go to whom they belong, and nobody notices but by the time. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import * as z from "zod";
import { chooseReplica } from "../../gateway/deployment/choose-replica.ts";
import { deploymentRoute } from "../../gateway/deployment/deployment-route.ts";
import { DeploymentTable } from "../../gateway/deployment/deployment-table.ts";
import { ForwardCounter } from "../../gateway/deployment/forward-counter.ts";
import { mergedOpenApi } from "../../gateway/deployment/merged-page.ts";
import { summedMetrics } from "../../gateway/deployment/summed-metric.ts";
import { openGateway } from "../../gateway/open-gateway.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { bodyBytesMax } from "../../serving/protocol/serving-limit.ts";
import { GatewayPlace } from "../support/gateway-place.ts";
import { mixedKinds, mixedRequest } from "../../bench/deploy/mixed-request.ts";
import { standInAnswer, standInLabels } from "../support/stand-in-model.ts";
import { until } from "../support/until.ts";

const model = { answerOf: (text: string) => standInAnswer(text), labels: standInLabels, name: "live" };
const refusalSchema = z.object({ error: z.string().min(10) });

async function within(place: GatewayPlace, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } finally {
    await place.close();
  }
}

describe("GATEWAY-1: whatever ends meanwhile, each caller gets their own answer", () => {
  test("requests of all protocols at once, replicas killed and started between them: none fails, none is another's", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      await place.start(7);
      await place.start(7, true);
      const wanted = fc.sample(
        fc.record({
          kind: fc.constantFrom(...mixedKinds),
          texts: fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 32 }),
          name: fc.constantFrom("live", "trec"),
        }),
        { numRuns: 3_000, seed: 5 },
      );
      let done = 0;
      const caller = async (from: number) => {
        for (let at = from; at < wanted.length; at += 16) {
          const one = wanted[at];
          if (one === undefined) return;
          // Known by its texts too.
          const texts = one.texts.map((text, row) => `${at} ${row} ${text}`);
          const asked = mixedRequest(one.kind, texts, `id-${at}`, { ...model, name: one.name });
          const answer = await place.ask(asked.path, asked.body, asked.headers);
          assert.equal(answer.status, 200, answer.text);
          asked.check(answer);
          assert.match(String(answer.headers["x-trialmesh-answer"]), /^trec@7~/);
          done++;
        }
      };
      const callers = Promise.all(Array.from({ length: 16 }, (_, from) => caller(from)));
      for (let kills = 1; kills <= 20; kills++) {
        const reached = until("more answers", () => (done >= (kills * wanted.length) / 21 ? true : null));
        await Promise.race([reached, callers]);
        const [oldest] = place.running.keys();
        assert.ok(oldest !== undefined);
        // Now and then all that there are, and a new one only then.
        if (kills % 5 === 0) for (const fence of [...place.running.keys()]) place.kill(fence);
        else place.kill(oldest);
        while (place.running.size < 2) await place.start(7, kills % 2 === 0);
      }
      await callers;
      assert.equal(done, wanted.length);
    });
  });

  test("one that is killed, and of which the coordinator does not know yet, is left for the other; one that stands still too", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      const held: (() => void)[] = [];
      const first = await place.start(7, true, () => new Promise((resolve) => void held.push(resolve)));
      await until("it is known", async () =>
        (await place.ask("/v2/health/ready")).status === 200 ? true : null,
      );
      const asked = place.ask("/predict/live", { text: "held" });
      await until("it is asked", () => (held.length > 0 ? true : null));
      await place.start(7);
      const running = place.running.get(first);
      assert.ok(running !== undefined);
      // Its agent has made it stand still: nothing breaks, and no answer comes.
      place.running.set(first, { ...running, replica: { ...running.replica, state: "suspended" } });
      assert.equal((await asked).status, 200);
      held[0]?.();
      place.running.set(first, running);
      const again: ReturnType<GatewayPlace["ask"]>[] = [];
      await until("it is asked again", () => {
        again.push(
          place.ask("/predict/live", { text: "again" }),
          place.ask("/predict/live", { text: "again" }),
        );
        return held.length > 1 ? true : null;
      });
      place.isStale = true;
      place.kill(first);
      for (let at = 0; at < 20; at++)
        assert.equal((await place.ask("/predict/live", { text: `${at}` })).status, 200);
      for (const { status } of await Promise.all(again)) assert.equal(status, 200);
    });
  });

  test("a request that ends whatever it is sent to is sent to four replicas, and the others live", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      for (let at = 0; at < 7; at++) {
        const fence: number = await place.start(7, true, () => {
          place.kill(fence);
          return new Promise(() => undefined);
        });
      }
      const { headers, status, text } = await place.ask("/predict/live", { text: "poison" });
      assert.equal(status, 503);
      assert.match(refusalSchema.parse(JSON.parse(text)).error, /4 replicas of live ended/);
      assert.ok(Number(headers["retry-after"]) >= 1);
      assert.equal(place.running.size, 3);
    });
  });

  test("the first request waits for the replica that starts; where none comes it is told when to try again, in its protocol's form", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      const asked = place.ask("/predict/live", { text: "early" });
      await until("the gateway has looked", () => (place.asked > 2 ? true : null));
      await place.start(7);
      assert.equal((await asked).status, 200);
    });
    const empty = new GatewayPlace();
    empty.state = "starting";
    const table = new DeploymentTable({
      ...{ ask: () => Promise.resolve(refuse("unavailable", "away")), clock: systemClock },
      connect: () => Promise.resolve(refuse("unavailable", "away")),
    });
    assert.equal(table.isTold, false);
    await empty.open({ patienceMs: 300 });
    await within(empty, async () => {
      const { headers, status, text } = await empty.ask("/invocations", { inputs: ["x"] });
      assert.equal(status, 503);
      assert.ok(Number(headers["retry-after"]) >= 1);
      assert.equal(
        z.looseObject({ error_code: z.string() }).parse(JSON.parse(text)).error_code,
        "TEMPORARILY_UNAVAILABLE",
      );
      empty.state = "stopped";
      await until("it is told", async () =>
        (await empty.ask("/predict/live", { text: "x" })).status === 404 ? true : null,
      );
    });
  });
});

test("GATEWAY-2: the least busy that did not fail lately is asked, and one that did only where there is no other", () => {
  const one = fc.record({ busy: fc.nat(9), aside: fc.boolean(), isTried: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 8 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (all, draw) => {
        const replicas = all.map((replica) => ({ ...replica, isAside: () => replica.aside }));
        const tried = new Set(replicas.filter(({ isTried }) => isTried));
        const chosen = chooseReplica(replicas, tried, 0, () => draw);
        const fresh = replicas.filter(({ isTried }) => !isTried);
        const sound = fresh.filter(({ aside }) => !aside);
        const among = sound.length > 0 ? sound : fresh;
        if (chosen === null) return assert.equal(fresh.length, 0);
        assert.ok(among.includes(chosen));
        assert.equal(chosen.busy, Math.min(...among.map(({ busy }) => busy)));
      },
    ),
  );
});

describe("GATEWAY-4: what is wrong with a request is said in its protocol's form, and nobody else is disturbed", () => {
  test("paths, methods, sizes, keys, packed bodies, header bombs, callers who leave", async () => {
    const keys = CallerKeys.read("alice 0123456789abcdef\n");
    assert.ok(keys.ok);
    const place = new GatewayPlace();
    await place.open({ keys: keys.value });
    const key = { authorization: "Bearer 0123456789abcdef" };
    await within(place, async () => {
      await place.start(7);
      const said = async (path: string, body?: unknown, headers: Record<string, string> = key) => {
        const { status, text } = await place.ask(path, body, headers);
        if (status !== 200) refusalSchema.parse(JSON.parse(text));
        return status;
      };
      assert.equal(await said("/predict/live", { text: "x" }, {}), 401);
      assert.equal(await said("/predict/live", { text: "x" }, { authorization: "Bearer wrong" }), 401);
      assert.equal(await said("/v2/health/live", undefined, {}), 200);
      assert.equal(await said("/predict/live", { text: "x" }), 200);
      assert.equal(await said("/predict/other", { text: "x" }), 404);
      assert.equal(await said("/nowhere"), 404);
      assert.equal(await said("/predict/live"), 405);
      assert.equal(await said("/v2/models/stats"), 404);
      assert.equal(await said("/v2/models/live/stats"), 404);
      assert.equal(await said("/predict/live", "{"), 400);
      assert.equal(await said("/predict/live@9", { text: "x" }), 404);
      assert.equal(await said("/deployments/live/predict/trec", { text: "x" }), 200);
      assert.equal(await said("/deployments/live/invocations", { inputs: ["x"] }), 200);
      assert.equal(await said("/deployments/other/invocations", { inputs: ["x"] }), 404);
      assert.equal(await said("/deployments/", undefined), 404);
      assert.equal(await said("/predict/live", Buffer.alloc(bodyBytesMax + 1)), 413);
      const packed = gzipSync(JSON.stringify({ text: "packed" }));
      assert.equal(await said("/predict/live", packed, { ...key, "content-encoding": "gzip" }), 200);
      const bomb = place.socket();
      let heard = "";
      bomb.on("data", (part: Buffer) => (heard += part.toString())).on("error", () => undefined);
      bomb.write(`GET / HTTP/1.1\r\nx: ${"y".repeat(40_000)}\r\n\r\n`);
      await once(bomb, "close");
      assert.match(heard, /^HTTP\/1.1 431 /);
      const leaver = place.socket();
      leaver.write(
        "POST /predict/live HTTP/1.1\r\nauthorization: Bearer 0123456789abcdef\r\ncontent-length: 50\r\n\r\n{",
      );
      leaver.destroy();
      assert.equal(await said("/predict/live", { text: "x" }), 200);
    });
  });

  test("an answer larger than is held comes whole", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      await place.start(7);
      const texts = Array.from({ length: 99_000 }, (_, at) => `t${at}`);
      const asked = mixedRequest("texts", texts, "large", model);
      const answer = await place.ask(asked.path, asked.body);
      assert.equal(answer.status, 200);
      assert.ok(answer.bytes.length > 8 * 2 ** 20, String(answer.bytes.length));
      asked.check(answer);
    });
  });

  test("GATEWAY-7: beyond this machine nothing is opened without keys and TLS", async () => {
    const source = {
      ask: () => Promise.resolve(accept([])),
      connect: () => Promise.resolve(refuse("unavailable", "nowhere")),
      close: () => Promise.resolve(),
    };
    const address = { host: "0.0.0.0", port: 0 };
    const opened = await openGateway(source, {
      address,
      keys: null,
      tls: null,
      clock: systemClock,
      draw: () => 0,
    });
    assert.ok(!opened.ok && opened.refusal.code === "forbidden");
  });

  test("GATEWAY-4: an end answers what was asked, and takes nothing new", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      const held: (() => void)[] = [];
      await place.start(7, true, () => new Promise((resolve) => void held.push(resolve)));
      const asked = place.ask("/predict/live", { text: "last" });
      await until("it is asked", () => (held.length > 0 ? true : null));
      const ended = place.gateway?.drain(60_000);
      held.forEach((go) => go());
      assert.equal((await asked).status, 200);
      await ended;
      await assert.rejects(place.ask("/v2/health/live"));
    });
  });
});

describe("GATEWAY-5, GATEWAY-6: what a gateway answers of itself", () => {
  test("health, the index, the pages, and counters summed over replicas", async () => {
    const place = new GatewayPlace();
    await place.open();
    await within(place, async () => {
      assert.equal((await place.ask("/v2/health/ready")).status, 503);
      assert.equal((await place.ask("/ping")).status, 503);
      await Promise.all([place.start(7), place.start(7)]);
      await until("it is ready", async () => ((await place.ask("/ping")).status === 200 ? true : null));
      const counted = 40;
      await Promise.all(
        Array.from({ length: counted }, (_, at) => place.ask("/predict/live", { text: `${at}` })),
      );
      const { text: metrics } = await place.ask("/metrics");
      assert.match(
        metrics,
        new RegExp(`^nv_inference_request_success\\{model="trec",version="7"\\} ${counted}$`, "m"),
      );
      assert.match(
        metrics,
        new RegExp(`gateway_requests_total\\{deployment="live",code="200"\\} ${counted}`),
      );
      assert.match(metrics, /trialmesh_serving_model_info\{.*\} 1$/m);
      const index = z.array(z.object({ name: z.string(), version: z.string(), state: z.string() }));
      const { text: listed } = await place.ask("/v2/repository/index", "");
      assert.deepEqual(index.parse(JSON.parse(listed)), [{ name: "live", version: "7", state: "READY" }]);
      const { text: page } = await place.ask("/openapi.json");
      const { paths } = z.looseObject({ paths: z.record(z.string(), z.unknown()) }).parse(JSON.parse(page));
      assert.ok("/predict/live" in paths && "/v2/models/live/infer" in paths && !("/predict/trec" in paths));
      assert.match((await place.ask("/")).text, /<form/);
      assert.equal((await place.ask("/v2/models/live/ready")).status, 200);
    });
  });

  test("GATEWAY-6: a sum keeps each name's lines together and adds what both have", () => {
    const text = (count: number) =>
      `# HELP a About.\n# TYPE a counter\na{x="1"} ${count}\n# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum{} 0.5\nb_info{v="1"} 1\n`;
    assert.equal(
      summedMetrics([text(2), text(3), `${text(4)}a{x="2"} 7\n`]),
      `# HELP a About.\n# TYPE a counter\na{x="1"} 9\na{x="2"} 7\n# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 3\nh_sum{} 1.5\nb_info{v="1"} 1\n`,
    );
    assert.equal(mergedOpenApi([{ deployment: "a", model: "m", json: "no JSON" }]), null);
  });
});

test("GATEWAY-3: what a route was told it keeps while the mesh is away", async () => {
  let isAway = false;
  const table = new DeploymentTable({
    ask: () => Promise.resolve(isAway ? refuse("unavailable", "away") : accept([])),
    connect: () => Promise.resolve(refuse("unavailable", "nowhere")),
    clock: systemClock,
  });
  await table.refresh();
  isAway = true;
  await table.refresh();
  assert.equal(table.isTold, true);
  table.stop();
  const options = { table, counter: new ForwardCounter(), clock: systemClock, draw: () => 0, keys: null };
  assert.ok(deploymentRoute({ ...options, isOpen: () => true }).takes("/predict/x"));
});
