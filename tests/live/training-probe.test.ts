/** The probe: real gradients decide what works, measurements are remembered, and nothing unknown is a number. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { after } from "node:test";
import { capabilitySchema, type BackendName, type Capability, type Host } from "../../protocol/capability.ts";
import { probeBackend, type BackendProbe } from "../../agent/capability/backend-probe.ts";
import { readHost } from "../../agent/capability/host.ts";
import { probe, probeAgain } from "../../agent/capability/probe.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-probe-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));

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
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../support/${name}${extname(import.meta.url)}`, import.meta.url));
const asked: BackendName[] = [];
const fake =
  (late: boolean, load = 0, perSecond = 1_000_000) =>
  (name: BackendName): Promise<BackendProbe> => {
    asked.push(name);
    const measured =
      name === "sparse" ? [{ kind: "text-classification/linear", examplesPerSecond: perSecond, load }] : [];
    const works = name === "sparse";
    return Promise.resolve({
      name,
      sound: works,
      works,
      reason: works ? null : "not here",
      version: "1",
      device: null,
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

const rateOf = ({ rates }: Pick<Capability, "rates">) =>
  rates.find(({ kind }) => kind === "text-classification/linear")?.examplesPerSecond;
const loadHere = ({ backends }: Pick<Capability, "backends">) =>
  backends.find(({ name }) => name === "sparse")?.load;
const never = new AbortController().signal;

test("PROBE-14: what was measured under load is said to be, remembered, and measured again; what is better counts", async () => {
  const cacheDir = join(dir, "e");
  const options = { cacheDir, host: () => Promise.resolve(host) };
  const loaded = await probe({ ...options, probeBackend: fake(false, 0.634, 200_000) });
  assert.deepEqual([rateOf(loaded), loadHere(loaded)], [200_000, 0.63]);
  const before = asked.length;
  const remembered = await probe({ ...options, probeBackend: fake(false) });
  assert.deepEqual([asked.length, rateOf(remembered)], [before, 200_000], "a start waits for nothing");

  const worse = await probeAgain({ ...options, probeBackend: fake(false, 0.9, 100_000) }, never);
  assert.ok(worse !== null);
  assert.deepEqual([rateOf(worse), loadHere(worse)], [200_000, 0.63], "a worse one changes nothing");
  asked.length = 0;
  const again = await probeAgain({ ...options, probeBackend: fake(false, 0.04) }, never);
  assert.ok(again !== null);
  assert.deepEqual([rateOf(again), loadHere(again)], [1_000_000, undefined]);
  assert.deepEqual(asked, ["sparse"], "only what was measured under load");
  assert.equal(rateOf(await probe({ ...options, probeBackend: fake(false, 0, 5) })), 1_000_000);
  await probeAgain({ ...options, probeBackend: fake(false, 0, 5) }, never);
  assert.deepEqual(asked, ["sparse"], "what was measured on an idle machine is final");

  const shown = await probe({ ...options, fresh: true, probeBackend: fake(false, 0.8, 300_000) });
  assert.deepEqual([rateOf(shown), loadHere(shown)], [300_000, 0.8], "asked anew, it is shown");
  assert.equal(rateOf(await probe({ ...options, probeBackend: fake(false) })), 1_000_000, "and not kept");
});

test("PROBE-14: what did not end in time on a busy machine is measured again on an idle one", async () => {
  const options = { cacheDir: join(dir, "f"), host: () => Promise.resolve(host) };
  await probe({ ...options, probeBackend: fake(true, 0.9) });
  asked.length = 0;
  const again = await probeAgain({ ...options, probeBackend: fake(false, 0) }, never);
  assert.equal(loadHere(again ?? assert.fail("measured")), undefined);
  assert.ok(asked.includes("sparse") && asked.includes("wasm"));
});

test("PROBE-15: a measurement that makes way leaves what was known, and its process is gone at once", async () => {
  const options = { cacheDir: join(dir, "g"), host: () => Promise.resolve(host) };
  await probe({ ...options, probeBackend: fake(false, 0.5) });
  const stop = new AbortController();
  const from = performance.now();
  const ends: boolean[] = [];
  const running = probeAgain(
    {
      ...options,
      probeBackend: async (_, { signal }) => {
        setTimeout(() => stop.abort(), 300);
        const found = await probeBackend("cpu", {
          entry: fixture("bad-probe-child"),
          kinds: ["hang"],
          ...(signal === undefined ? {} : { signal }),
        });
        ends.push(found.late);
        return found;
      },
    },
    stop.signal,
  );
  assert.equal(await running, null);
  assert.ok(performance.now() - from < 20_000, "it waited for a child that hangs");
  assert.deepEqual(ends, [true], "one was begun, and no other after it");
  assert.equal(loadHere(await probe({ ...options, probeBackend: fake(false) })), 0.5);
});

test("PROBE-11: of two agents that start at once one measures, and the other takes what it found", async () => {
  const options = {
    cacheDir: join(dir, "d"),
    host: () => Promise.resolve(host),
    probeBackend: fake(false),
  };
  const before = asked.length;
  const [one, other] = await Promise.all([probe(options), probe(options)]);
  assert.deepEqual(one, other);
  assert.equal(new Set(asked.slice(before)).size, asked.length - before);
});

test("PROBE-4: wasm and sparse really train here, in a child process", async () => {
  for (const name of ["wasm", "sparse"] as const) {
    const kinds = [`text-classification/${name === "wasm" ? "textcnn" : "fasttext"}`];
    const result = await probeBackend(name, { kinds });
    assert.equal(result.reason, null);
    assert.ok(
      result.works && result.measured.length > 0 && result.measured.every((one) => one.examplesPerSecond > 0),
    );
  }
});

const bad = (how: string, limit: { silenceMs?: number; wholeMs?: number } = {}): Promise<BackendProbe> =>
  probeBackend("cpu", { entry: fixture("bad-probe-child"), kinds: [how], ...limit });

test("PROBE-5: a backend that crashes, hangs or talks nonsense is told with its reason, and is not advertised", async () => {
  const crashed = await bad("crash");
  assert.deepEqual([crashed.works, crashed.measured.length, crashed.late], [false, 0, false]);
  assert.match(crashed.reason ?? "", /ended early \(signal SIGSEGV\)/u);
  const babbled = await bad("babble");
  assert.ok(!babbled.works);
  assert.match(babbled.reason ?? "", /does not parse/u);
  const silent = await bad("silent");
  assert.ok(!silent.works && !silent.sound);
  assert.match(silent.reason ?? "", /ended early \(exit code 0\)/u);
});

test("PROBE-9: one that hangs is not advertised; one that is slow keeps what it had shown; both are asked again", async () => {
  const hung = await bad("hang", { silenceMs: 3_000 });
  assert.deepEqual([hung.late, hung.works, hung.measured.length], [true, false, 0]);
  assert.match(hung.reason ?? "", /no answer within 3 s/u);
  const slow = await bad("slow", { wholeMs: 3_000 });
  assert.deepEqual([slow.late, slow.works, slow.measured.length], [true, true, 1]);
  assert.match(slow.reason ?? "", /not done after 3 s/u);
});

test("PROBE-10: a backend that computes wrongly is found out by its gradients", async () => {
  const wrong = await probeBackend("cpu", { entry: fixture("wrong-probe-child") });
  assert.ok(!wrong.works && !wrong.sound && wrong.measured.length === 0);
  assert.match(wrong.reason ?? "", /computes wrongly: the value of gru step/u);
});

test("PROBE-6: this machine's facts are facts or null, never zero", async () => {
  const facts = await readHost(dir);
  assert.ok(facts.cores > 0 && facts.memGiB > 0 && facts.cpuModel !== "");
  assert.notEqual(facts.diskGiB, 0);
  for (const gpu of facts.gpus) assert.notEqual(gpu.vramGiB, 0);
});
