/** Needs as they are written on a command line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requirementSchema } from "../../protocol/requirement.ts";
import { readNeeds } from "../../spec/sweep/needs-expression.ts";

function refused(...expressions: string[]): string {
  const read = readNeeds(expressions);
  return read.ok ? "" : read.refusal.message;
}

test("DEPLOY-13: a need on the command line says what the same field of a sweep file says", () => {
  const read = readNeeds([
    "cores=4",
    "memGiB=1.5",
    "os=linux,darwin",
    "gpu.vramGiB=8",
    "gpu.vendor=nvidia",
    "labels.room.of=the attic = up",
    "agents.not=desk",
    "python=torch>=2,numpy",
  ]);
  assert.deepEqual(read.ok && read.value, {
    cores: 4,
    memGiB: 1.5,
    os: ["linux", "darwin"],
    gpu: { count: 1, vramGiB: 8, vendor: "nvidia" },
    labels: { "room.of": "the attic = up" },
    agents: { not: ["desk"] },
    packages: ["torch>=2", "numpy"],
  });
  assert.deepEqual(readNeeds(["python=3.11"]), { ok: true, value: { python: "3.11" } });
  assert.deepEqual(readNeeds(["none"]), { ok: true, value: {} });
  assert.deepEqual(readNeeds([]), { ok: true, value: {} });
});

test("DEPLOY-13: what is wrong is named with what would be right", () => {
  assert.match(refused("cores"), /a need is written FIELD=VALUE, such as cores=4, not "cores"/);
  assert.match(refused("=4"), /FIELD=VALUE/);
  assert.match(refused("core=4"), /no machine is asked for "core"; .*cores/);
  assert.match(refused("cores=many"), /cores is a number, not "many"/);
  assert.match(refused("cores=0"), /cores/);
  assert.match(refused("cores=1", "cores=2"), /cores is given twice/);
  assert.match(refused("labels.a=1", "labels.a=2"), /labels.a is given twice/);
  assert.match(refused("backend=quantum"), /backend/);
  assert.match(refused("agents.only=a", "agents.not=a"), /only/);
  assert.match(refused("__proto__=1"), /no machine is asked for/);
});

test("DEPLOY-13: whatever is written gives a requirement or a sentence", () => {
  const field = fc.constantFrom(
    "cores",
    "os",
    "gpu.count",
    "gpu",
    "labels.x",
    "labels.__proto__",
    "python",
    "a.b",
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(field, fc.string({ maxLength: 12 })), { maxLength: 5 }), (pairs) => {
      const read = readNeeds(pairs.map(([name, value]) => `${name}=${value}`));
      if (read.ok) assert.deepEqual(requirementSchema.parse(read.value), read.value);
      else assert.ok(read.refusal.message.length > 5 && !read.refusal.message.includes("undefined"));
    }),
  );
});
