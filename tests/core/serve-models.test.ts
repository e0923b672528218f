/** What a serving program does beside answering: who may reach it, following a reference, logging a share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FollowReference } from "../../client/serve/follow-reference.ts";
import { requestLog } from "../../client/serve/request-log.ts";
import { serveModels } from "../../client/serve/serve-models.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { laneFor } from "../support/serving-place.ts";
import { standInAnswer, textModel } from "../support/stand-in-model.ts";

const keys = CallerKeys.read("alice 0123456789abcdef");
assert.ok(keys.ok);

test("SERVE-13: beyond this machine nothing is served without keys, nor without TLS", async () => {
  const base = {
    references: ["trec@champion"],
    open: () => Promise.resolve(accept(textModel())),
    resolve: () => Promise.resolve(accept({ model: "trec", version: 7 })),
    say: () => undefined,
  };
  for (const host of ["0.0.0.0", "192.168.1.5", "example.org", "::"])
    for (const [given, sentence] of [
      [null, /--key-file/],
      [keys.value, /TLS/],
    ] as const) {
      const served = await serveModels({ ...base, tls: null, keys: given, address: { host, port: 0 } });
      assert.ok(!served.ok && sentence.test(served.refusal.message), host);
    }
  const served = await serveModels({
    ...base,
    tls: null,
    keys: null,
    address: { host: "127.0.0.1", port: 0 },
  });
  assert.ok(served.ok);
  await served.value.drain(1_000);
});

describe("SERVE-14: a new version takes over once it has answered an example", () => {
  function following(
    open: (reference: string) => Promise<Outcome<ServedModel>>,
    onServed?: (model: ServedModel) => Promise<void>,
  ) {
    const seen = {
      ...{ version: 1, opened: 0, isAway: false, settle: () => {} },
      ...{ put: [] as number[], said: [] as string[], served: [] as number[] },
      refused: null as Outcome<never> | null,
    };
    const one = new FollowReference("trec@champion", {
      resolve: () =>
        Promise.resolve(
          seen.refused ??
            (seen.isAway
              ? refuse("unavailable", "no mesh")
              : accept({ model: "trec", version: seen.version })),
        ),
      open: (reference) => {
        seen.opened++;
        return open(reference === "trec@champion" ? "trec@1" : reference);
      },
      put: (_, model) => {
        seen.put.push(model.version);
        return Promise.resolve();
      },
      say: (line) => void seen.said.push(line),
      ...(onServed === undefined ? {} : { onServed }),
    });
    return { one, seen };
  }
  const versionOf = (reference: string) => Number(reference.split("@")[1]);

  test("it is opened once, and a mesh that is away changes nothing", async () => {
    const { one, seen } = following((reference) =>
      Promise.resolve(accept(textModel({ version: versionOf(reference) }))),
    );
    assert.ok((await one.start()).ok);
    await one.look();
    seen.version = 2;
    await Promise.all([one.look(), one.look()]);
    seen.isAway = true;
    await one.look();
    assert.deepEqual([seen.put, seen.opened], [[1, 2], 2]);
  });

  test("where its alias comes to point to nothing, or to a version that is removed, it goes on with what it has", async () => {
    for (const gone of ["unknown", "conflict", "forbidden"] as const) {
      const { one, seen } = following((reference) =>
        Promise.resolve(accept(textModel({ version: versionOf(reference) }))),
      );
      await one.start();
      seen.refused = refuse(gone, "trec@1 is removed");
      for (let look = 0; look < 3; look++) await one.look();
      assert.deepEqual([seen.put, seen.opened, seen.said], [[1], 1, []]);
      seen.refused = null;
      seen.version = 2;
      await one.look();
      assert.deepEqual(seen.put, [1, 2]);
    }
  });

  test("a version is not replaced, and the server does not end, before what was begun with it is over", async () => {
    const { one, seen } = following(
      (reference) => Promise.resolve(accept(textModel({ version: versionOf(reference) }))),
      (model) =>
        new Promise((resolve) => {
          seen.settle = () => resolve();
          seen.served.push(model.version);
        }),
    );
    await one.start();
    seen.version = 2;
    const looked = one.look();
    await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual([seen.put, seen.served], [[1], [1]]);
    seen.settle();
    await looked;
    assert.deepEqual(
      [seen.put, seen.served],
      [
        [1, 2],
        [1, 2],
      ],
    );
    let isStopped = false;
    const stopped = one.stop().then(() => (isStopped = true));
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(isStopped, false);
    seen.settle();
    await stopped;
  });

  test("one that cannot be opened, fails at an example or gives no number is said once, and the old one stays", async () => {
    let freed = 0;
    const dispose = () => void freed++;
    const bad: readonly (() => Promise<Outcome<ServedModel>>)[] = [
      () => Promise.resolve(refuse("unknown", "its bytes are gone")),
      () =>
        Promise.resolve(
          accept({
            ...textModel({ version: 2 }),
            answer: () => {
              throw new Error("a fault");
            },
            dispose,
          }),
        ),
      () =>
        Promise.resolve(
          accept({
            ...textModel({ version: 2 }),
            answer: () => accept({ kind: "labels", probabilities: new Float32Array(4).fill(NaN) }),
            dispose,
          }),
        ),
    ];
    for (const open of bad) {
      const { one, seen } = following((reference) =>
        versionOf(reference) === 1 ? Promise.resolve(accept(textModel({ version: 1 }))) : open(),
      );
      await one.start();
      seen.version = 2;
      for (let look = 0; look < 5; look++) await one.look();
      assert.deepEqual([seen.put, seen.said.length, seen.opened], [[1], 1, 2]);
      assert.match(seen.said[0] ?? "", /stays at version 1: version 2 cannot be served/);
      seen.version = 1;
      await one.look();
    }
    assert.equal(freed, 2);
  });
});

test("SERVE-15: the log holds the share that was asked for, and no personal data", () => {
  const said: string[] = [];
  let draw = 0;
  const log = requestLog({ share: 0.25, draw: () => draw, say: (line) => void said.push(line) });
  const lane = laneFor(textModel());
  const texts = ["write to jane.doe@example.org or call +44 20 7946 0958, card 4111 1111 1111 1111"];
  const answers = {
    kind: "labels",
    probabilities: Float32Array.from(standInAnswer(texts[0] ?? "")),
  } as const;
  for (let at = 0; at < 100; at++) {
    draw = at / 100;
    log({
      lane,
      rows: { kind: "texts", count: 1, texts },
      answers,
      answerId: "trec@7~1",
      caller: null,
      ms: 1,
    });
  }
  assert.equal(said.length, 25);
  for (const line of said) assert.ok(!/jane|7946|4111/.test(line) && line.includes("[e-mail]"), line);
});
