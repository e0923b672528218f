/** The probe: real gradients decide what works, measurements are remembered, and nothing unknown is a number. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { capabilitySchema, type BackendName, type Host } from "../../protocol/capability.ts";
import { probeBackend, type BackendProbe } from "../../agent/capability/backend-probe.ts";
import { readHost } from "../../agent/capability/host.ts";
import { probe } from "../../agent/capability/probe.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-probe-"));
after(() => rmSync(dir, { recursive: true }));

const host: Host = {
  os: "linux",
  arch: "x64",
  cpuModel: "Some CPU",
  cores: 2,
  memGiB: 4,
  diskGiB: null,
  gpus: [],
  cpuFeatures: [],
};
const asked: BackendName[] = [];
const fake =
  (late: boolean) =>
  (name: BackendName): Promise<BackendProbe> => {
    asked.push(name);
    const measured =
      name === "sparse" ? [{ kind: "text-classification/linear", examplesPerSecond: 1_000_000 }] : [];
    const works = name === "sparse";
    return Promise.resolve({
      name,
      works,
      reason: works ? null : "not here",
      version: "1",
      measured,
      late: late && !works,
    });
  };

test("PROBE-1: its result is a capability but for labels, and rates are relative to the reference machine", async () => {
  const result = await probe({
    cacheDir: join(dir, "a"),
    host: () => Promise.resolve(host),
    probeBackend: fake(false),
  });
  const capability = capabilitySchema.parse({ ...result, labels: {} });
  assert.deepEqual(capability.host, host);
  assert.deepEqual(
    capability.backends
      .filter((one) => one.works)
      .map((one) => one.name)
      .toSorted(),
    ["none", "sparse"],
  );
  assert.equal(
    capability.rates.find((rate) => rate.kind === "text-classification/linear")?.tokensPerSecond,
    2,
  );
  assert.equal(capability.rates.find((rate) => rate.kind === "noop/noop")?.tokensPerSecond, 1);
});

test("PROBE-2: measured once, remembered; another processor or a broken memory is measured again", async () => {
  const cacheDir = join(dir, "b");
  const options = { cacheDir, host: () => Promise.resolve(host), probeBackend: fake(false) };
  const askedBy = async (run: () => Promise<unknown>): Promise<number> => {
    const before = asked.length;
    await run();
    return asked.length - before;
  };
  const first = await probe(options);
  assert.equal(
    await askedBy(async () => assert.deepEqual(await probe(options), first)),
    0,
    "it was measured again",
  );
  assert.ok(
    (await askedBy(() =>
      probe({ ...options, host: () => Promise.resolve({ ...host, cpuModel: "Other CPU" }) }),
    )) > 0,
  );
  writeFileSync(join(cacheDir, "probe.json"), "{");
  assert.ok((await askedBy(() => probe(options))) > 0);
});

test("PROBE-3: what a busy machine cut short is not remembered", async () => {
  const options = { cacheDir: join(dir, "c"), host: () => Promise.resolve(host), probeBackend: fake(true) };
  await probe(options);
  const before = asked.length;
  await probe(options);
  assert.ok(asked.length > before);
});

test("PROBE-4: wasm and sparse really train here, in a child process", async () => {
  for (const name of ["wasm", "sparse"] as const) {
    const result = await probeBackend(name, 60_000);
    assert.equal(result.reason, null);
    assert.ok(
      result.works && result.measured.length > 0 && result.measured.every((one) => one.examplesPerSecond > 0),
    );
  }
});

test("PROBE-5: a backend that is not there says so; one past its deadline is late", async () => {
  const absent = await probeBackend("webgpu", 60_000);
  assert.equal(absent.works, false);
  assert.match(absent.reason ?? "", /webgpu is not supported/u);
  const late = await probeBackend("sparse", 1);
  assert.ok(!late.works && late.late);
});

test("PROBE-6: this machine's facts are facts or null, never zero", async () => {
  const facts = await readHost(dir);
  assert.ok(facts.cores > 0 && facts.memGiB > 0 && facts.cpuModel !== "");
  assert.notEqual(facts.diskGiB, 0);
  for (const gpu of facts.gpus) assert.notEqual(gpu.vramGiB, 0);
});
