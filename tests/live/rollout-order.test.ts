/** ROLL-5, ROLL-6, ROLL-7 in whatever order: requests, truths, swaps of the incumbent and the end of the trial, over real sockets; no version is asked once it is freed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import * as z from "zod";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { worseModel } from "../support/rollout-place.ts";
import { laneFor, ServingPlace } from "../support/serving-place.ts";
import { standInAnswer, standInLabels, textModel } from "../support/stand-in-model.ts";

type Step =
  | {
      readonly do: "ask";
      readonly count: number;
      readonly rows: number;
      readonly path: "plain" | "infer" | "scored";
    }
  | { readonly do: "tell"; readonly isRight: boolean }
  | { readonly do: "swap"; readonly version: number; readonly isAsync: boolean }
  | { readonly do: "turn" };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record<Step & { do: "ask" }>({
        do: fc.constant("ask"),
        count: fc.integer({ min: 1, max: 12 }),
        rows: fc.integer({ min: 1, max: 40 }),
        path: fc.constantFrom("plain", "infer", "scored"),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record<Step & { do: "tell" }>({ do: fc.constant("tell"), isRight: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record<Step & { do: "swap" }>({
        do: fc.constant("swap"),
        version: fc.constantFrom(6, 7, 8, 9),
        isAsync: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ do: "turn" }) },
  ),
  { minLength: 5, maxLength: 40 },
);

/** Counts who asks it once it is freed. */
function guarded(model: ServedModel, ledger: { late: number; open: number }): ServedModel {
  let isFreed = false;
  ledger.open++;
  const watch = () => {
    if (isFreed) ledger.late++;
  };
  const { answerTexts } = model;
  return {
    ...model,
    answer: (rows) => {
      watch();
      return model.answer(rows);
    },
    answerTexts:
      answerTexts === null
        ? null
        : (texts) => {
            watch();
            return answerTexts(texts);
          },
    dispose: () => {
      isFreed = true;
      ledger.open--;
    },
  };
}

const answered = z.looseObject({
  answer: z.string(),
  predictions: z.array(z.looseObject({ label: z.string() })),
});
const labelOf = (text: string) => {
  const right = standInAnswer(text);
  return standInLabels[right.indexOf(Math.max(...right))] ?? "";
};

class Trial {
  readonly ledger = { late: 0, open: 0 };
  readonly place: ServingPlace;
  readonly desk: RolloutDesk;
  readonly #flying: Promise<void>[] = [];
  #last: { readonly id: string; readonly texts: readonly string[] } | null = null;
  #count = 0;

  private constructor(place: ServingPlace, how: "errors" | "labels", share: number) {
    this.place = place;
    void place.table.put("trec@champion", laneFor(guarded(textModel({ version: 7 }), this.ledger)));
    const canary = laneFor(guarded(worseModel(how === "errors" ? 0.3 : 0, how, 1), this.ledger));
    void place.table.put("trec@8", canary, 0);
    const [first] = place.table.places;
    this.desk = new RolloutDesk({
      ...{ alpha: 0.01, agreement: 0.98, copyShare: 1, promoteAfter: null },
      incumbent: first?.lane ?? assert.fail(),
      canary: { lane: canary, share },
      shadow: laneFor(guarded(textModel({ version: 10, isAsync: true }), this.ledger)),
      now: () => performance.now(),
      defer: (run) => void setImmediate(run),
      onPromote: () => undefined,
      onCanaryOff: () => void place.table.remove("trec@8"),
    });
    place.table.try(this.desk);
  }

  static async open(how: "errors" | "labels", share: number): Promise<Trial> {
    return new Trial(await ServingPlace.open({ models: [] }), how, share);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "ask":
        for (let at = 0; at < step.count; at++) this.#flying.push(this.#ask(step));
        return;
      case "tell":
        return this.#tell(step.isRight);
      case "swap": {
        const model = textModel({ version: step.version, isAsync: step.isAsync });
        void this.place.table.put("trec@champion", laneFor(guarded(model, this.ledger)));
        return;
      }
      case "turn":
        await turn();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#flying);
    await this.place.door.drain(1_000);
    // What was taken off frees itself once it has answered.
    for (let turns = 0; turns < 100 && this.ledger.open > 0; turns++) await turn();
  }

  async #ask({ path, rows }: Step & { do: "ask" }): Promise<void> {
    const texts = Array.from({ length: rows }, (_, row) => `request ${this.#count} ${row}`);
    this.#count++;
    if (path !== "plain") {
      const tensor = { name: "text", datatype: "BYTES", shape: [rows], data: texts };
      const asked =
        path === "infer"
          ? await this.place.ask("/v2/models/trec/infer", { inputs: [tensor] })
          : await this.place.ask("/invocations", { inputs: texts }, { "content-type": "application/json" });
      assert.equal(asked.status, 200, asked.text);
      for (const text of texts)
        assert.ok(asked.text.includes(JSON.stringify(labelOf(text)).slice(1, -1)), text);
      return;
    }
    const { json, status, text } = await this.place.ask("/predict/trec", { texts });
    assert.equal(status, 200, text);
    const { answer, predictions } = answered.parse(json);
    assert.deepEqual(
      predictions.map(({ label }) => label),
      texts.map(labelOf),
    );
    assert.ok(!answer.startsWith("trec@10~"));
    this.#last = { id: answer, texts };
  }

  async #tell(isRight: boolean): Promise<void> {
    if (this.#last === null) return;
    const { id, texts } = this.#last;
    const truth = texts.map((text) => (isRight ? labelOf(text) : (standInLabels[0] ?? "")));
    const { status, text } = await this.place.ask("/feedback/trec", { answer: id, truth });
    // Told before, or forgotten with the incumbent that it was compared with.
    assert.ok([200, 400, 404].includes(status), text);
  }
}

test("ROLL-7: every caller gets the answers to their own rows, nothing freed is asked, and in the end all is freed", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.constantFrom("errors", "labels"),
      fc.constantFrom(0.1, 0.5, 1),
      async (all, how, share) => {
        const trial = await Trial.open(how, share);
        try {
          for (const step of all) await trial.take(step);
        } finally {
          await trial.end();
        }
        assert.deepEqual(trial.ledger, { late: 0, open: 0 });
        if (how === "labels") assert.notEqual(trial.desk.rollout.state, "rolled-back");
      },
    ),
    { numRuns: 40 },
  );
});
