/** What MLflow's client asks of a trial's runs and models: filters and orders, histories, and names that no two runs share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { MlflowRuns } from "../../agent/program/mlflow-call.ts";
import type { MlflowFact } from "../../agent/program/mlflow-fact.ts";
import { readFilter, type Searchable } from "../../agent/program/mlflow-filter.ts";
import { processorMs } from "../support/processor-time.ts";

const own = "0".repeat(32);

/** What stands there in an answer. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found: unknown = value;
  for (const part of path)
    found = typeof found === "object" && found !== null ? (Reflect.get(found, part) as unknown) : undefined;
  return found;
}

function textAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === "string" ? found : undefined;
}

function listAt(value: unknown, name: string): readonly unknown[] {
  const found = at(value, name);
  assert.ok(Array.isArray(found));
  return found;
}

function opened(objectives: readonly string[] = ["score"]) {
  const runs = new MlflowRuns({
    id: own,
    name: "s1-1",
    artifactFolder: "file:///a",
    now: () => 1_000,
    objectives,
  });
  const facts: MlflowFact[] = [];
  const call = (path: string, body: unknown, method = "POST") => {
    const answer = runs.call(method, path, body);
    facts.push(...answer.facts);
    return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body)) as unknown };
  };
  const child = (name: string, parent = own): string =>
    String(
      at(
        call("runs/create", { run_name: name, tags: [{ key: "mlflow.parentRunId", value: parent }] }).body,
        ...["run", "info", "run_id"],
      ),
    );
  const log = (run: string, key: string, value: number, step = 0, timestamp = 0) =>
    call("runs/log-metric", { run_id: run, key, value, step, timestamp });
  return { call, child, facts, log };
}

describe("MLFLOW-6: no two runs of a trial are told under one name, and its objectives are its own", () => {
  test("whatever runs and metrics are called, and in whatever order they speak", () => {
    const name = fc.constantFrom("fold-0", "fold-0-2", "a", "a/b", "trial-2", "score");
    const key = fc.constantFrom("score", "b/score", "fold-0/score", "a/b/score", "fold-0-2/score");
    const said = fc.array(fc.tuple(fc.nat(3), key), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), said, (names, words) => {
        const { child, facts, log } = opened(["score", "fold-0/score"]);
        const runs = [own, ...names.map((one) => child(one))];
        const toldBy = new Map<string, string>();
        for (const [index, metric] of words) {
          const run = runs[index % runs.length] ?? own;
          facts.length = 0;
          log(run, metric, 1);
          const [fact] = facts;
          assert.ok(fact !== undefined);
          const speaker = `${run} ${metric}`;
          assert.equal(toldBy.get(fact.name) ?? speaker, speaker, `${fact.name} is said by two`);
          toldBy.set(fact.name, speaker);
          if (run === own && (metric === "score" || metric === "fold-0/score"))
            assert.equal(fact.name, metric);
          else
            assert.ok(
              fact.name !== "score" && fact.name !== "fold-0/score",
              `${speaker} is told as ${fact.name}`,
            );
        }
      }),
      { numRuns: 300 },
    );
  });

  test("where nothing stands against it, a child's name stands before its metrics'", () => {
    const { child, facts, log } = opened();
    const fold = child("fold-1");
    log(fold, "score", 0.5);
    log(child("inner", fold), "loss", 2);
    assert.deepEqual(
      facts.map((fact) => fact.name),
      ["fold-1/score", "fold-1/inner/loss"],
    );
  });
});

describe("MLFLOW-7: a search finds what its filter says", () => {
  const number = fc.constantFrom(-1, 0, 0.5, 2, Number.NaN);
  const text = fc.constantFrom("", "a", "ab", "A%b", "b_", "aab");
  const subject: fc.Arbitrary<Searchable> = fc
    .tuple(fc.option(number, { nil: undefined }), fc.option(text, { nil: undefined }))
    .map(([metric, tag]) => ({
      metrics: new Map(metric === undefined ? [] : [["m 1", metric]]),
      params: new Map(),
      tags: new Map(tag === undefined ? [] : [["t", tag]]),
      attributes: new Map(),
    }));
  const likeOf = (pattern: string, flags: string) =>
    new RegExp(
      `^${pattern
        .replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
        .replaceAll("%", ".*")
        .replaceAll("_", ".")}$`,
      flags,
    );

  test("comparison by comparison, joined by AND", () => {
    const metric = fc
      .tuple(fc.constantFrom("=", "!=", ">", ">=", "<", "<="), fc.constantFrom(0, 0.5, -1))
      .map(([how, wanted]) => ({
        text: `metrics.\`m 1\` ${how} ${wanted}`,
        holds: ({ metrics }: Searchable) => {
          const has = metrics.get("m 1");
          if (has === undefined || Number.isNaN(has)) return false;
          return {
            "=": has === wanted,
            "!=": has !== wanted,
            ">": has > wanted,
            ">=": has >= wanted,
            "<": has < wanted,
            "<=": has <= wanted,
          }[how];
        },
      }));
    const tag = fc
      .tuple(
        fc.constantFrom("=", "!=", "LIKE", "ILIKE"),
        fc.constantFrom("", "a", "a%", "%b", "_", "A%", "%a%b", "b_"),
      )
      .map(([how, wanted]) => ({
        text: `tags.t ${how} '${wanted}'`,
        holds: ({ tags }: Searchable) => {
          const has = tags.get("t");
          if (has === undefined) return false;
          return {
            "=": has === wanted,
            "!=": has !== wanted,
            LIKE: likeOf(wanted, "").test(has),
            ILIKE: likeOf(wanted, "i").test(has),
          }[how];
        },
      }));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(metric, tag), { maxLength: 4 }),
        fc.constantFrom(" AND ", " and ", "  AND  "),
        subject,
        (parts, and, one) => {
          const filter = readFilter(parts.map((part) => part.text).join(and));
          assert.ok(filter.ok);
          assert.equal(
            filter.value(one),
            parts.every((part) => part.holds(one)),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("and whatever is written, it is read or refused in MLflow's words, in little time", () => {
    const piece = fc.constantFrom(
      "metrics.a",
      "tags.`x`",
      " ",
      "=",
      ">",
      "LIKE",
      "'",
      '"',
      "`",
      "%",
      "1e9",
      "(",
      ")",
      ",",
      "AND",
      "OR",
      "IN",
      "\u0000",
      "params.",
    );
    const started = processorMs();
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const { call } = opened();
        const answer = call("runs/search", { filter: pieces.join("") });
        assert.ok(answer.status === 200 || at(answer.body, "error_code") === "INVALID_PARAMETER_VALUE");
      }),
      { numRuns: 1_000 },
    );
    const { call } = opened();
    call("runs/set-tag", { key: "t", value: "a".repeat(8_000) });
    call("runs/search", { filter: `tags.t LIKE '${"%a".repeat(100)}%b'` });
    assert.ok(processorMs() - started < 30_000);
  });

  test("page by page, in order, deleted ones only where they are asked for", () => {
    const { call, child, log } = opened();
    for (let n = 0; n < 7; n++) log(child(`c${n}`), "score", n % 3);
    call("runs/delete", { run_id: child("gone") });
    const found: string[] = [];
    let token: string | undefined;
    do {
      const { body } = call("runs/search", {
        experiment_ids: ["0"],
        order_by: ["metrics.score DESC", "run_name ASC"],
        max_results: 3,
        ...(token === undefined ? {} : { page_token: token }),
      });
      found.push(...listAt(body, "runs").map((run) => String(at(run, "info", "run_name"))));
      token = textAt(body, "next_page_token");
    } while (token !== undefined);
    assert.deepEqual(found, ["c2", "c5", "c1", "c4", "c0", "c3", "c6", "s1-1"]);
    const deleted = listAt(call("runs/search", { run_view_type: "DELETED_ONLY" }).body, "runs");
    assert.deepEqual(
      deleted.map((run) => at(run, "info", "run_name")),
      ["gone"],
    );
    assert.deepEqual(at(call("runs/search", { experiment_ids: ["9"] }).body, "runs"), []);
  });
});

test("MLFLOW-8: a metric's history is told as it was logged, and so much of it is kept", () => {
  const { call, log } = opened();
  const point = fc.tuple(fc.constantFrom("a", "b"), fc.nat(5), fc.nat(100), fc.nat(100));
  const [sample = []] = fc.sample(fc.array(point, { minLength: 50, maxLength: 50 }), { numRuns: 1, seed: 3 });
  for (const [key, step, at, value] of sample) log(own, key, value, step, at);
  for (const key of ["a", "b"]) {
    const expected = sample
      .filter(([one]) => one === key)
      .map(([, step, timestamp, value]) => ({ key, value, step, timestamp }))
      .toSorted((x, y) => x.timestamp - y.timestamp || x.step - y.step);
    assert.deepEqual(
      at(call("metrics/get-history", { run_id: own, metric_key: key }, "GET").body, "metrics"),
      expected,
    );
    const latest = expected
      .toSorted((x, y) => x.step - y.step || x.timestamp - y.timestamp || x.value - y.value)
      .at(-1);
    const metrics = listAt(at(call("runs/get", { run_id: own }, "GET").body, "run", "data"), "metrics");
    assert.equal(
      at(
        metrics.find((one) => at(one, "key") === key),
        "value",
      ),
      latest?.value,
    );
  }
  const metrics = Array.from({ length: 1_000 }, (_, step) => ({
    key: "many",
    value: step,
    step,
    timestamp: step,
  }));
  for (let batch = 0; batch < 80; batch++)
    assert.equal(call("runs/log-batch", { run_id: own, metrics }).status, 200);
  const pages: number[] = [];
  for (let token: string | undefined = "0"; token !== undefined;) {
    const { body } = call("metrics/get-history", { run_id: own, metric_key: "many", page_token: token });
    pages.push(listAt(body, "metrics").length);
    token = textAt(body, "next_page_token");
  }
  assert.deepEqual(pages, [25_000, 24_950]);
});

test("MLFLOW-9: a logged model is made, measured, found and changed; of ever more so many are kept", () => {
  const { call, log } = opened();
  const made = call("logged-models", {
    experiment_id: "0",
    name: "forest",
    source_run_id: own,
    params: [{ key: "depth", value: "3" }],
  }).body;
  const id = String(at(made, "model", "info", "model_id"));
  assert.match(id, /^m-[0-9a-f]{32}$/);
  assert.match(String(at(made, "model", "info", "artifact_uri")), /^file:\/\/\/a\/models\/m-/);
  call("runs/log-metric", { run_id: own, key: "f1", value: 0.5, step: 1, timestamp: 7, model_id: id });
  log(own, "other", 1);
  assert.deepEqual(call("runs/outputs", { run_id: own, models: [{ model_id: id, step: 0 }] }).status, 200);
  call(`logged-models/${id}`, { model_id: id, status: "LOGGED_MODEL_READY" }, "PATCH");
  call(`logged-models/${id}/tags`, { tags: [{ key: "team", value: "blue" }] }, "PATCH");
  const got = at(call(`logged-models/${id}`, {}, "GET").body, "model");
  assert.equal(at(got, "info", "status"), "LOGGED_MODEL_READY");
  assert.deepEqual(at(got, "data", "metrics"), [
    { key: "f1", value: 0.5, step: 1, timestamp: 7, model_id: id, run_id: own },
  ]);
  const names = (filter: string) =>
    listAt(call("logged-models/search", { experiment_ids: ["0"], filter }).body, "models").map((one) =>
      at(one, "info", "name"),
    );
  assert.deepEqual(names("name = 'forest' AND params.depth = '3' AND tags.team = 'blue'"), ["forest"]);
  assert.deepEqual(names(`attributes.model_id IN ('${id}') AND metrics.f1 > 0.4`), ["forest"]);
  assert.deepEqual(names("name = 'tree'"), []);
  assert.equal(call("logged-models/m-0", {}, "GET").status, 404);
  assert.equal(call(`logged-models/${id}/tags/team`, null, "DELETE").status, 200);
  assert.deepEqual(names("tags.team = 'blue'"), []);
  let refused = 0;
  for (let n = 0; n < 1_000; n++) refused += Number(call("logged-models", { name: "x" }).status === 400);
  assert.equal(refused, 501);
});
