/** Versions on trial over real sockets: `serveModels` with stand-in models and a ledger that is read, asked by HTTP as callers do. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { RolloutLedger, RolloutMove } from "../../client/serve/rollout-ledger.ts";
import { serveModels, type Serving } from "../../client/serve/serve-models.ts";
import type { RolloutPlan } from "../../client/serve/start-rollout.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { requestsMax, worseModel, type Worse } from "../support/rollout-place.ts";
import { laneFor, ServingPlace } from "../support/serving-place.ts";
import { standInAnswer, standInLabels, textModel } from "../support/stand-in-model.ts";
import { until } from "../support/until.ts";

interface PlaceOptions {
  readonly plan?: Partial<RolloutPlan>;
  readonly models?: readonly ServedModel[];
  readonly references?: readonly string[];
  readonly promotes?: boolean;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
after(() => agent.destroy());

class TrialPlace {
  readonly said: string[] = [];
  readonly moves: (RolloutMove & { readonly how: string; readonly alias?: string })[] = [];
  /** What the mesh says that the alias `canary` and the champion point to. */
  canaryAlias: number | null = null;
  champion = 7;
  serving: Serving | null = null;
  readonly #models: readonly ServedModel[];
  readonly #promotes: boolean;

  constructor({ models = [textModel({ version: 7 })], promotes = true }: PlaceOptions) {
    this.#models = models;
    this.#promotes = promotes;
  }

  async open({ plan = {}, references = ["trec@champion"] }: PlaceOptions): Promise<Outcome<Serving>> {
    const served = await serveModels({
      references,
      ...{ address: { host: "127.0.0.1", port: 0 }, keys: null, tls: null },
      open: (reference) => Promise.resolve(this.#find(reference)),
      resolve: () => Promise.resolve(accept({ model: "trec", version: this.champion })),
      say: (line) => void this.said.push(line),
      rollout: {
        plan: {
          canaries: [],
          shadows: [],
          alpha: 0.01,
          agreement: 0.98,
          copyShare: 1,
          promoteAfter: null,
          ...plan,
        },
        ledger: this.#ledger(),
      },
    });
    if (served.ok) this.serving = served.value;
    return served;
  }

  #find(reference: string): Outcome<ServedModel> {
    const version = Number(reference.split("@")[1]) || this.champion;
    const found = this.#models.find((model) => model.version === version);
    return found === undefined ? refuse("unknown", `there is no ${reference}`) : accept(found);
  }

  #ledger(): RolloutLedger {
    return {
      aliasOf: (reference) => (/@\d/.test(reference) ? null : (reference.split("@")[1] ?? "champion")),
      begun: (move) => {
        this.moves.push({ ...move, how: "begun" });
        this.canaryAlias = move.version;
      },
      takenBack: (move) => void this.moves.push({ ...move, how: "taken back" }),
      promoted: (move) => {
        this.moves.push({ ...move, how: "promoted" });
        if (this.#promotes) this.champion = move.version;
        return Promise.resolve(this.#promotes);
      },
      movedTo: (_, version) => Promise.resolve(this.canaryAlias === version ? null : this.canaryAlias),
      end: () => Promise.resolve(),
    };
  }

  /** Status and JSON of one request over a connection that is kept. */
  ask(path: string, body?: unknown): Promise<{ status: number; text: string; json: unknown; id: string }> {
    const url = new URL(path, this.serving?.url);
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent, method: body === undefined ? "GET" : "POST" }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text += part));
        answer.on("end", () => {
          const isJson = String(answer.headers["content-type"]).includes("json");
          const json: unknown = isJson ? JSON.parse(text) : null;
          resolve({
            status: answer.statusCode ?? 0,
            text,
            json,
            id: String(answer.headers["x-trialmesh-answer"]),
          });
        });
      });
      asked.on("error", reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async view() {
    return viewSchema.parse((await this.ask("/v2/models/trec/rollout")).json);
  }

  async close(): Promise<void> {
    await this.serving?.drain(1_000);
  }
}

const answerSchema = z.looseObject({ version: z.number(), label: z.string(), answer: z.string() });
const comparisonSchema = z.looseObject({
  evidence: z.number(),
  pairs: z.number(),
  agreement: z.number().nullable(),
  truths: z.number(),
});
const viewSchema = z.looseObject({
  state: z.string(),
  verdict: z.object({ test: z.string(), why: z.string() }).optional(),
  incumbent: z.looseObject({ version: z.string() }),
  canary: z
    .looseObject({
      version: z.string(),
      share: z.number(),
      success: z.number(),
      comparison: comparisonSchema,
    })
    .optional(),
  shadow: z.looseObject({ version: z.string(), comparison: comparisonSchema }).optional(),
  copies: z.object({ waiting: z.number(), dropped: z.number() }),
});
const canary = (share: number) => ({ canaries: [{ reference: "trec@8", share }] });

async function opened(options: PlaceOptions): Promise<TrialPlace> {
  const place = new TrialPlace(options);
  const served = await place.open(options);
  assert.ok(served.ok, served.ok ? "" : served.refusal.message);
  return place;
}

/** Asks until the canary is off, or so often; each answer is held against its own version's. After how many it was off. */
async function askMany(place: TrialPlace, how: Worse, requests: number): Promise<number | null> {
  let at = 0;
  let off: number | null = null;
  const caller = async () => {
    while (at < requests && off === null) {
      const text = `request ${++at}`;
      const { json, status, text: said } = await place.ask("/predict/trec", { text });
      assert.equal(status, 200, said);
      const { answer, version } = answerSchema.parse(json);
      assert.ok(version === 7 || version === 8);
      if (how === "truth") {
        const right = standInAnswer(text);
        const truth = standInLabels[right.indexOf(Math.max(...right))];
        const told = await place.ask("/feedback/trec", { answer, truth });
        assert.ok(told.status === 200 || (await place.view()).state === "rolled-back", told.text);
      }
      if (place.moves.some((move) => move.how === "taken back")) off ??= at;
    }
  };
  await Promise.all(Array.from({ length: 4 }, caller));
  return off;
}

describe("ROLL-2: over HTTP a canary that is 5% worse is taken back within 2,000 requests, and one equally good is not", () => {
  for (const how of ["errors", "labels", "truth"] as const)
    test(`by ${how}: to the incumbent alone, with the reason in the ledger`, async () => {
      for (const worse of [0.05, 0]) {
        const models = [textModel({ version: 7 }), worseModel(worse, how, 1)];
        const place = await opened({ models, plan: canary(0.1) });
        try {
          const off = await askMany(place, how, requestsMax);
          const view = await place.view();
          if (worse === 0) {
            assert.deepEqual([off, view.state, place.moves.length], [null, "running", 1]);
            continue;
          }
          assert.ok(off !== null);
          const expected = { errors: "errors", labels: "agreement", truth: "truth" }[how];
          assert.deepEqual(
            [view.state, view.canary?.share, view.verdict?.test],
            ["rolled-back", 0, expected],
          );
          assert.deepEqual(
            place.moves.map(({ how: kind, version }) => [kind, version]),
            [
              ["begun", 8],
              ["taken back", 7],
            ],
          );
          assert.match(place.moves[1]?.why ?? "", /^taken back: .*\d.*α = 0.01/);
          for (let at = 0; at < 50; at++) {
            const { json } = await place.ask("/predict/trec", { text: `after ${at}` });
            assert.equal(answerSchema.parse(json).version, 7);
          }
          assert.equal((await place.ask("/predict/trec@8", { text: "a" })).status, 404);
        } finally {
          await place.close();
        }
      }
    });
});

describe("ROLL-5: what takes requests, and how many", () => {
  test("the share of the requests, under the version's own name, in every protocol; whoever names a version gets it", async () => {
    const place = await opened({
      models: [textModel({ version: 7 }), worseModel(0, "labels", 1)],
      plan: canary(0.3),
    });
    try {
      let count = 0;
      for (let at = 0; at < 600; at++) {
        const { json, id } = await place.ask("/predict/trec", { text: `a ${at}` });
        const { answer, version } = answerSchema.parse(json);
        assert.ok(answer.startsWith(`trec@${version}~`) && id === answer);
        if (version === 8) count++;
      }
      assert.ok(count > 120 && count < 240, `${count} of 600 at 30%`);
      const named = await place.ask("/predict/trec@8", { text: "a" });
      assert.equal(answerSchema.parse(named.json).version, 8);
      const { text } = await place.ask("/v2/models/trec");
      assert.match(text, /"versions":\["7","8"\]/);
      const metrics = (await place.ask("/metrics")).text;
      assert.match(metrics, /^trialmesh_rollout_share\{model="trec",version="8",role="canary"\} 0\.3$/m);
      assert.match(metrics, /^nv_inference_request_success\{model="trec",version="8"\} \d+$/m);
      const view = await place.view();
      assert.ok((view.canary?.comparison.pairs ?? 0) > 500 && view.canary?.comparison.agreement === 1);
    } finally {
      await place.close();
    }
  });

  test("one that cannot be loaded, fails at an example, takes or gives something else, is served already or has nobody beside it is refused", async () => {
    const failing: ServedModel = {
      ...textModel({ version: 8 }),
      answer: () => {
        throw new Error("a fault");
      },
    };
    const labelled: ServedModel = {
      ...textModel({ version: 8 }),
      signature: { ...textModel().signature, labels: ["a", "b", "c", "d"] },
    };
    const incumbent = textModel({ version: 7 });
    const eight = textModel({ version: 8 });
    const wrong: readonly (readonly [RegExp, PlaceOptions])[] = [
      [/there is no trec@8/, { models: [incumbent], plan: canary(0.1) }],
      [/fails at an example/, { models: [incumbent, failing], plan: canary(0.1) }],
      [
        /cannot stand in for trec@7: it gives the labels a, b, c, d instead/,
        { models: [incumbent, labelled], plan: canary(0.1) },
      ],
      [/cannot stand in/, { models: [incumbent, labelled], plan: { shadows: ["trec@8"] } }],
      [
        /trec@7 is version 7, which trec@champion is too/,
        { plan: { canaries: [{ reference: "trec@7", share: 0.1 }] } },
      ],
      [
        /no version of wide beside it/,
        { models: [incumbent, textModel({ model: "wide", version: 8 })], plan: canary(0.1) },
      ],
      [
        /a canary already/,
        {
          models: [incumbent, eight],
          plan: { canaries: [...canary(0.1).canaries, ...canary(0.2).canaries] },
        },
      ],
      [
        /compared with one/,
        { models: [incumbent, eight], references: ["trec@champion", "trec@7"], plan: canary(0.1) },
      ],
      [
        /trec@canary is whatever is on trial/,
        { models: [incumbent, eight], references: ["trec@canary"], plan: canary(0.1) },
      ],
      [
        /--promote-after moves an alias/,
        { models: [incumbent, eight], references: ["trec@7"], plan: { ...canary(0.1), promoteAfter: 5 } },
      ],
    ];
    for (const [sentence, options] of wrong) {
      const place = new TrialPlace(options);
      const served = await place.open(options);
      await place.close();
      assert.ok(!served.ok, String(sentence));
      assert.match(served.refusal.message, sentence);
      assert.deepEqual(place.moves, []);
    }
  });
});

describe("ROLL-7: a shadow answers nobody and delays nobody", () => {
  test("its faults reach nobody, its answers are compared, and no path leads to it", async () => {
    const models = [textModel({ version: 7 }), worseModel(0.5, "errors", 2)];
    const place = await opened({ models, plan: { shadows: ["trec@8"] } });
    try {
      for (let at = 0; at < 200; at++) {
        const { json, status } = await place.ask("/predict/trec", { text: `a ${at}` });
        assert.deepEqual([status, answerSchema.parse(json).version], [200, 7]);
      }
      assert.equal((await place.ask("/predict/trec@8", { text: "a" })).status, 404);
      const view = await until("the copies are answered", async () => {
        const seen = await place.view();
        return seen.copies.waiting === 0 ? seen : null;
      });
      assert.equal(view.canary, undefined);
      assert.ok((view.shadow?.comparison.pairs ?? 0) > 150);
      assert.deepEqual(place.moves, []);
    } finally {
      await place.close();
    }
  });

  test("one that never answers holds up no caller, and the trial's end frees every version", async () => {
    let freed = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let isProven = false;
    const stuck = textModel({
      version: 8,
      isAsync: true,
      wait: () => (isProven ? gate : Promise.resolve()),
      onDispose: () => void freed++,
    });
    const models = [textModel({ version: 7, onDispose: () => void freed++ }), stuck];
    const place = await opened({ models, plan: { shadows: ["trec@8"] } });
    isProven = true;
    try {
      for (let at = 0; at < 1_000; at++)
        assert.equal((await place.ask("/predict/trec", { text: `a ${at}` })).status, 200);
      assert.ok((await place.view()).copies.dropped > 0);
    } finally {
      release();
      await place.close();
    }
    assert.equal(freed, 2);
  });
});

describe("ROLL-7: a canary that does not answer in time", () => {
  async function hanging(incumbentModel: ServedModel) {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const place = await ServingPlace.open({ models: [incumbentModel] });
    const lane = laneFor(textModel({ version: 8, isAsync: true, wait: () => gate }));
    const off: unknown[] = [];
    const incumbent = place.table.places[0]?.lane ?? assert.fail();
    await place.table.put("trec@8", lane, 0);
    const desk = new RolloutDesk({
      ...{ alpha: 0.01, agreement: 0.98, copyShare: 1, promoteAfter: null, shadow: null, incumbent },
      canary: { lane, share: 1 },
      canaryPatienceMs: 5,
      now: () => performance.now(),
      defer: (run) => void setImmediate(run),
      onPromote: () => undefined,
      onCanaryOff: (why) => {
        off.push(why);
        void place.table.remove("trec@8");
      },
    });
    place.table.try(desk);
    const ask = async (count: number) => {
      for (let at = 0; at < count && off.length === 0; at++) {
        const { json, status } = await place.ask("/predict/trec", { text: `a ${at}` });
        assert.deepEqual([status, answerSchema.parse(json).version], [200, 7]);
      }
    };
    const close = async () => {
      release();
      await place.door.drain(1_000);
    };
    return { ask, close, desk, incumbent, lane, off, release };
  }

  test("costs its callers that patience and is taken back; what it says later reaches nobody", async () => {
    const { ask, close, incumbent, lane, off, release } = await hanging(textModel({ version: 7 }));
    try {
      // Where others keep the machine busy, the incumbent may take long too, and that request says nothing.
      await until("it is taken back", async () => {
        await ask(50);
        return off.length > 0 ? true : null;
      });
      assert.match(JSON.stringify(off), /"errors".*it failed at \d+ that the incumbent answered/);
      release();
      await until("nothing is left", () =>
        lane.counters.inProgress + lane.queued + incumbent.counters.inProgress === 0 ? true : null,
      );
      assert.equal(lane.counters.success, 0);
    } finally {
      await close();
    }
  });

  test("is not to blame for what takes the incumbent as long", async () => {
    const slow = textModel({ version: 7, isAsync: true, wait: () => sleep(20) });
    const { ask, close, desk } = await hanging(slow);
    try {
      await ask(40);
      assert.equal(desk.rollout.comparison("canary")?.counts.challengerFailed, 0);
    } finally {
      await close();
    }
  });
});

describe("ROLL-4: feedback", () => {
  test("what is no feedback is refused with a sentence, and counts for nothing", async () => {
    const place = await opened({
      models: [textModel({ version: 7 }), worseModel(0, "labels", 1)],
      plan: canary(0.1),
    });
    const idle = await opened({});
    try {
      const { json } = await place.ask("/predict/trec", { texts: ["a", "b"] });
      const { answer } = z.looseObject({ answer: z.string() }).parse(json);
      const truth = ["ABBR", "DESC"];
      const wrong: readonly (readonly [number, RegExp, unknown])[] = [
        [400, /should be a mapping/, "text"],
        [400, /send \{"answer"/, { answer }],
        [400, /send \{"answer"/, { answer, truth, more: 1 }],
        [400, /is no answer's id/, { answer: "trec", truth }],
        [400, /no label of trec; there are "ABBR"/, { answer, truth: ["ABBR", "none"] }],
        [400, /no label/, { answer, truth: [["ABBR"], "DESC"] }],
        [400, /another number of rows/, { answer, truth: "ABBR" }],
        [404, /is not remembered/, { answer: "trec@7~zzz", truth }],
        [400, /too long|at most/, { answer: "x".repeat(10_000), truth }],
      ];
      for (const [status, sentence, body] of wrong) {
        const told = await place.ask("/feedback/trec", body);
        assert.equal(told.status, status, told.text);
        assert.match(z.object({ error: z.string() }).parse(told.json).error, sentence);
      }
      assert.equal((await place.ask("/feedback/trec", { answer, truth })).status, 200);
      assert.match((await place.ask("/feedback/trec", { answer, truth })).text, /has its truth already/);
      assert.equal((await place.ask("/feedback/none", { answer, truth })).status, 404);
      assert.equal((await place.ask("/feedback/trec")).status, 405);
      assert.match((await idle.ask("/feedback/trec", { answer, truth })).text, /no version on trial/);
      assert.equal((await idle.ask("/v2/models/trec/rollout")).status, 404);
      assert.ok((await place.ask("/openapi.json")).text.includes("/feedback/trec"));
      assert.ok(!(await idle.ask("/openapi.json")).text.includes("/feedback/trec"));
      const keys = CallerKeys.read("alice 0123456789abcdef");
      assert.ok(keys.ok);
      const kept = await ServingPlace.open({ models: [textModel()], keys: keys.value });
      for (const [path, body] of [
        ["/feedback/trec", { answer, truth }],
        ["/v2/models/trec/rollout", undefined],
      ] as const)
        assert.equal((await kept.ask(path, body)).status, 401);
      await kept.door.drain(1_000);
    } finally {
      await place.close();
      await idle.close();
    }
  });
});

test("ROLL-6: the served alias is moved to and fro under load: no request fails, none gets another's answer, and the trial goes on beside the newest", async () => {
  const models = [6, 7].map((version) => textModel({ version }));
  const place = await opened({ models: [...models, worseModel(0, "labels", 1)], plan: canary(0.5) });
  let isOver = false;
  let answered = 0;
  const caller = async (name: string) => {
    while (!isOver) {
      const text = `${name} ${answered++}`;
      const { json, status, text: said } = await place.ask("/predict/trec", { text });
      assert.equal(status, 200, said);
      const right = standInAnswer(text);
      assert.equal(answerSchema.parse(json).label, standInLabels[right.indexOf(Math.max(...right))]);
    }
  };
  const callers = Promise.all(["a", "b", "c"].map(caller));
  try {
    for (const version of [6, 7, 6]) {
      place.champion = version;
      await until(`beside version ${version}`, async () => {
        const view = await place.view();
        return view.incumbent.version === String(version) && view.state === "running" ? true : null;
      });
      const then = answered;
      await Promise.race([until("answers", () => (answered > then + 50 ? true : null)), callers]);
    }
  } finally {
    isOver = true;
    await callers;
    await place.close();
  }
  assert.ok(place.said.filter((line) => /is version \d now/.test(line)).length === 3);
});

describe("ROLL-8: what happens elsewhere", () => {
  test("somebody moves the alias canary: the trial ends here too, and is not recorded a second time", async () => {
    const place = await opened({
      models: [textModel({ version: 7 }), worseModel(0, "labels", 1)],
      plan: canary(1),
    });
    try {
      assert.equal(answerSchema.parse((await place.ask("/predict/trec", { text: "a" })).json).version, 8);
      place.canaryAlias = 7;
      await until("the incumbent answers", async () => {
        const { json } = await place.ask("/predict/trec", { text: "a" });
        return answerSchema.parse(json).version === 7 ? true : null;
      });
      assert.deepEqual([place.moves.length, (await place.view()).state], [1, "ended"]);
      assert.ok(place.said.some((line) => /somebody moved trec@canary to version 7/.test(line)));
    } finally {
      await place.close();
    }
  });

  test("--promote-after: the alias moves, the version is loaded in the incumbent's place, and the trial is over", async () => {
    const models = [textModel({ version: 7 }), worseModel(0, "labels", 1)];
    const place = await opened({ models, plan: { ...canary(0.1), promoteAfter: 100 } });
    const refused = await opened({ models, promotes: false, plan: { ...canary(0.1), promoteAfter: 100 } });
    try {
      await until("the canary answers everybody", async () => {
        for (let at = 0; at < 50; at++)
          assert.equal((await place.ask("/predict/trec", { text: `a ${at}` })).status, 200);
        const { json } = await place.ask("/predict/trec", { text: "a" });
        const isOver = (await place.view()).state === "promoted";
        return isOver && answerSchema.parse(json).version === 8 ? true : null;
      });
      assert.deepEqual(
        place.moves.map(({ how }) => how),
        ["begun", "promoted"],
      );
      for (let at = 0; at < 20; at++) {
        const { json } = await place.ask("/predict/trec", { text: `b ${at}` });
        assert.equal(answerSchema.parse(json).version, 8);
      }
      for (let at = 0; at < 300; at++) await refused.ask("/predict/trec", { text: `a ${at}` });
      assert.equal((await refused.view()).state, "running");
      assert.equal(refused.moves.filter(({ how }) => how === "promoted").length, 1);
    } finally {
      await place.close();
      await refused.close();
    }
  });
});
