/**
 * Programs in the sandbox of this machine: what each may still do, and every way out that is known, tried by a program that means
 * harm. As the user who runs the test and, where that is root, as nobody too. Without bubblewrap nothing here can be tested.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeBundle } from "../../agent/program/bundle.ts";
import type { Job } from "../../agent/runner/runner.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import { fixtureCommand, hearJob, programJob } from "../support/program-job.ts";
import { sandboxedRunner, workFolder } from "../support/sandbox-place.ts";
import { gone } from "../support/living-process.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-sandbox-"));
const secret = "nkey-seed-SUAXYZ";
const credential = join(folder, "agent.creds");
writeFileSync(credential, secret, { mode: 0o600 });
const home = mkdtempSync(join(tmpdir(), "trialmesh-sandbox-home-"));
mkdirSync(join(home, ".ssh"));
writeFileSync(join(home, ".ssh", "id_ed25519"), secret);
const environment = { AGENT_TOKEN: secret, HOME: home };
const shared = await sandboxedRunner({ folder, environment });
const alone = await sandboxedRunner({ folder, environment, network: "none" });
after(async () => {
  for (const runner of [shared, alone]) if (typeof runner !== "string") await runner.close();
  for (const path of [folder, home]) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
});

/** Said loudly: what is skipped here is what keeps a lender safe. */
const skip = typeof shared === "string" ? `NOT TESTED: ${shared}` : false;
const networks = { all: shared, none: alone };
type Network = keyof typeof networks;

async function run(
  network: Network,
  text: string,
  change: Partial<typeof fixtureCommand> = {},
  more: Partial<Job> = {},
) {
  const runner = networks[network];
  if (typeof runner === "string") assert.fail(runner);
  const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"], ...change };
  const job = programJob(workFolder(folder), { "run.py": text, "run.sh": text }, program, more);
  const heard = await hearJob(runner, job);
  return { ...heard, job, why: heard.end.kind === "failed" ? heard.end.reason : heard.lines.join("\n") };
}

/** What does harm where nothing confines it. */
const acting = `
libc = ctypes.CDLL(None, use_errno=True)
attempt("ptrace", lambda: libc.ptrace(16, agent, 0, 0) == 0)
attempt("mount", lambda: libc.mount(b"none", b"/mnt", b"tmpfs", 0, None) == 0)
attempt("setns", lambda: libc.setns(os.open("/proc/%d/ns/mnt" % agent, os.O_RDONLY), 0) == 0)
for path in ("/usr/escape", "/etc/escape", "/bin/escape", "/escape", "/opt/escape", "../escape", os.path.dirname(os.environ["TRIALMESH_PARAMS"]) + "/escape"):
    attempt("writing " + path, lambda: open(path, "w").write("x"))
for name in ("checkpoint", "program", "wandb"):
    place = os.path.dirname(os.environ["TRIALMESH_PARAMS"]) + "/" + name
    attempt("replacing " + place, lambda: (os.rename(place, place + "-2"), "done")[1])
attempt("hard link", lambda: (os.link(folder + "/agent.creds", "mine"), "done")[1])
attempt("disk", lambda: (os.mknod("disk", 0o600 | 0o060000, os.makedev(8, 0)), "done")[1])
for path in ("../../escape", home + "/escape", "/tmp/trialmesh-escape-${process.pid}"):
    attempt("a file of its own temporary folder", lambda: open(path, "w").write("x") and None)
`;

/** Everything that this process could be got at by, tried one after the other; prints what worked. */
const escape = (port: number, acts = true) => `
import ctypes, os, signal, socket, sys, glob
secret, agent, folder, home = ${JSON.stringify(secret)}, ${process.pid}, ${JSON.stringify(folder)}, ${JSON.stringify(home)}
found = []
def attempt(name, act):
    try:
        got = act()
    except BaseException as error:
        return
    if got: found.append(name + ": " + repr(got)[:80])
def holds(path):
    with open(path, "rb") as file:
        return secret.encode() in file.read(1 << 20)
def no_file(path):
    return os.path.exists(path)
attempt("credential", lambda: no_file(folder + "/agent.creds"))
attempt("home", lambda: [name for name in os.listdir(home)])
attempt("home of the system's word", lambda: os.listdir(os.path.expanduser("~root") + "/.ssh"))
attempt("own environment", lambda: [n for n, v in os.environ.items() if secret in v])
for name in ("environ", "mem", "cmdline", "maps"):
    attempt("agent's " + name, lambda: b"" != open("/proc/%d/%s" % (agent, name), "rb").read(1))
attempt("agent's root", lambda: os.listdir("/proc/%d/root" % agent))
attempt("agent's descriptors", lambda: os.listdir("/proc/%d/fd" % agent))
for path in glob.glob("/proc/[0-9]*"):
    attempt(path + " environment", lambda: holds(path + "/environ"))
    attempt(path + " command line", lambda: holds(path + "/cmdline"))
    attempt(path + " credential", lambda: no_file(path + "/root" + folder + "/agent.creds"))
    attempt(path + " cwd", lambda: no_file(path + "/cwd/agent.creds"))
    for entry in glob.glob(path + "/fd/*"):
        attempt(entry, lambda: os.readlink(entry).startswith(folder) and os.readlink(entry))
for entry in range(3, 256):
    attempt("descriptor %d" % entry, lambda: os.readlink("/proc/self/fd/%d" % entry) if os.readlink("/proc/self/fd/%d" % entry) != "/dev/null" and not os.readlink("/proc/self/fd/%d" % entry).endswith("/fd") else None)
attempt("signal", lambda: (os.kill(agent, 0), "reached")[1] if open("/proc/%d/comm" % agent) else None)
attempt("all processes", lambda: [p for p in os.listdir("/proc") if p.isdigit() and int(p) == agent])
for path in ("/etc/shadow", "/etc/ssh/ssh_host_ed25519_key", "/root/.ssh", "/var/lib", "/var/run/docker.sock", "/run/dbus", "/run/user", "/home", "/dev/sda", "/dev/mem", "/dev/kmsg"):
    attempt("seeing " + path, lambda: os.path.exists(path))
${acts ? acting : ""}
def reach(address, family=socket.AF_INET):
    with socket.socket(family) as s:
        s.settimeout(2)
        s.connect(address)
        return "connected"
if ${port}:
    attempt("loopback", lambda: reach(("127.0.0.1", ${port})))
    attempt("abstract socket", lambda: reach("\\0trialmesh-${process.pid}", socket.AF_UNIX))
    attempt("interfaces", lambda: [name for _, name in socket.if_nameindex() if name != "lo"])
for line in found: print("ESCAPE " + line)
print("tried")
print("score=1")
`;

for (const network of ["all", "none"] as const)
  describe(`SANDBOX-1: with --program-network ${network} nothing leads out`, { skip }, () => {
    test("files, /proc, descriptors, environment, signals, ptrace, mounts, links, sockets", async () => {
      const listener = createServer().listen(0, "127.0.0.1");
      const abstract = createServer().listen(`\0trialmesh-${process.pid}`);
      try {
        await new Promise((resolve) => listener.once("listening", resolve));
        const address = listener.address();
        const port = network === "none" && address !== null && typeof address === "object" ? address.port : 0;
        const { end, lines, why } = await run(network, escape(port));
        assert.equal(end.kind, "finished", why);
        assert.ok(lines.includes("tried"), why);
        assert.deepEqual(
          lines.filter((line) => line.startsWith("ESCAPE")),
          [],
        );
      } finally {
        listener.close();
        abstract.close();
      }
      const outside = ["work/escape", "escape"].map((name) => join(folder, name));
      for (const path of [...outside, join(home, "escape"), `/tmp/trialmesh-escape-${process.pid}`])
        assert.ok(!existsSync(path), path);
    });

    test("SANDBOX-2: it reports by http, keeps its checkpoint, has a home and temporary files of its own", async () => {
      const { end, why } = await run(
        network,
        `
import json, os, tempfile, urllib.request
open(os.environ["TRIALMESH_CHECKPOINT_DIR"] + "/model", "w").write("kept")
open(os.path.expanduser("~/cache"), "w").write("x")
tempfile.NamedTemporaryFile()
assert json.load(open(os.environ["TRIALMESH_PARAMS"])) == {"lr": 0.5}
urllib.request.urlopen(urllib.request.Request(os.environ["TRIALMESH_REPORT_URL"], json.dumps({"score": 0.75}).encode()))
`,
        {},
        { params: { lr: 0.5 } },
      );
      assert.equal(end.kind === "finished" && end.metrics["score"], 0.75, why);
      const kept = end.kind === "finished" ? decodeBundle(readFileSync(end.path)) : assert.fail(why);
      assert.deepEqual(
        kept.ok && kept.value.files.map(({ content, path }) => [path, Buffer.from(content).toString()]),
        [["model", "kept"]],
      );
    });

    test("SANDBOX-3: asked to end it hears of it and has its time; killed, nothing of it is left", async () => {
      const runner = networks[network];
      if (typeof runner === "string") return assert.fail(runner);
      const text = `
import os, signal, subprocess, sys, time
def end(*_):
    open(os.environ["TRIALMESH_CHECKPOINT_DIR"] + "/last", "w").write("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
subprocess.Popen(["sleep", "321.${process.pid}"], start_new_session=True, env={})
print("score=0.5", flush=True)
time.sleep(60)
`;
      for (const how of ["checkpoint", "kill"] as const) {
        const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"] };
        const job = programJob(workFolder(folder), { "run.py": text }, program, { targetResource: 9 });
        const { end } = await hearJob(runner, job, (event) => {
          if (event.kind === "epoch") runner.stop(job.fence, how);
        });
        assert.equal(end.kind, "stopped");
        if (how === "checkpoint") {
          const kept = end.kind === "stopped" && end.path !== null ? readFileSync(end.path) : assert.fail();
          const bundle = decodeBundle(kept);
          assert.deepEqual(bundle.ok && bundle.value.files.map(({ path }) => path), ["last"]);
        }
        const left = spawnSync("pgrep", ["-f", `sleep 321.${process.pid}`], { encoding: "utf8" }).stdout;
        for (const pid of left.split("\n").filter(Boolean)) await gone(Number(pid));
      }
    });
  });

test("SANDBOX-4: how it ends is told as without a sandbox", { skip }, async () => {
  const killed = await run("all", "import os; os.kill(os.getpid(), 9)");
  assert.match(killed.why, /was killed by SIGKILL/);
  const missing = await run("all", "", { command: ["no-such-program"] });
  assert.match(missing.why, /there is no program "no-such-program" on this machine's path/);
  const code = await run("none", "raise ValueError('too bad')");
  assert.match(code.why, /ended with code 1: ValueError: too bad/);
  const script = await run("none", "echo score=0.25", { command: ["./run.sh"] });
  assert.equal(script.end.kind, "finished", script.why);
});

test(
  "SANDBOX-5: code that its environment has loaded runs inside, and its variables stand on no command line",
  { skip },
  async () => {
    const { end, lines, why } = await run(
      "all",
      `
import os
print("mine", os.environ["OWN"])
print("LINE", *[open("/proc/%s/cmdline" % p, "rb").read() for p in os.listdir("/proc") if p.isdigit()])
print("score=1")
`,
      { environment: { OWN: "s3cret-word", LD_PRELOAD: "/nowhere/evil.so" } },
    );
    assert.equal(end.kind, "finished", why);
    assert.ok(lines.includes("mine s3cret-word"));
    assert.ok(!lines.some((line) => line.startsWith("LINE") && line.includes("s3cret-word")));
  },
);

test("SANDBOX-6: what its owner adds is seen and not written", { skip }, async () => {
  const data = mkdtempSync(join(tmpdir(), "trialmesh-sandbox-data-"));
  try {
    writeFileSync(join(data, "rows.csv"), "a,b\n");
    mkdirSync(join(data, "mesh"), { mode: 0o700 });
    writeFileSync(join(data, "mesh", "agent.creds"), secret);
    const runner = await sandboxedRunner({ folder: join(data, "mesh"), reads: [data] });
    if (typeof runner === "string") return assert.fail(runner);
    const text = `
import os
print(open("${data}/rows.csv").read(), os.listdir("${data}/mesh"))
try:
    open("${data}/rows.csv", "a").write("x")
    print("WROTE")
except OSError: print("score=1")
`;
    const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"] };
    const { end, lines } = await hearJob(runner, programJob(workFolder(folder), { "run.py": text }, program));
    await runner.close();
    assert.equal(end.kind, "finished", lines.join("\n"));
    assert.ok(lines.some((line) => line.includes("a,b")));
    assert.ok(!lines.some((line) => line.includes("agent.creds")), lines.join("\n"));
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test(
  "SANDBOX-8: a module is confined alike, keeps its checkpoint, and goes on from it",
  { skip },
  async () => {
    if (typeof shared === "string") return assert.fail(shared);
    const text = `import { readFileSync, writeFileSync, existsSync, readdirSync } from "node:fs";
export async function train(context) {
  const found = [];
  const attempt = (name, act) => { try { if (act()) found.push(name); } catch {} };
  attempt("credential", () => existsSync(${JSON.stringify(credential)}));
  attempt("ssh", () => existsSync(${JSON.stringify(join(home, ".ssh"))}));
  attempt("environ", () => readFileSync("/proc/${process.pid}/environ"));
  attempt("token", () => JSON.stringify(process.env).includes(${JSON.stringify(secret)}));
  attempt("signal", () => process.kill(${process.pid}, 0) && readFileSync("/proc/${process.pid}/comm"));
  attempt("write", () => writeFileSync("/usr/escape", "x") === undefined);
  attempt("write here", () => writeFileSync(${JSON.stringify(join(folder, "escape-2"))}, "x") === undefined && ${existsSync(join(folder, "escape-2"))});
  attempt("processes", () => readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length > 4);
  console.log("FOUND " + found.join(","));
  let done = context.restored === null ? 0 : Number(Buffer.from(context.restored).toString());
  while (done < 2) {
    done++;
    context.checkpoint(Buffer.from(String(done)));
    await context.report({ score: done });
  }
}`;
    const program = {
      kind: "module" as const,
      bundle: "0".repeat(64),
      objectives: [{ metric: "score", keep: "last" as const }],
      fullLength: 2,
      entry: "train.ts",
    };
    const heard = await hearJob(shared, programJob(workFolder(folder), { "train.ts": text }, program));
    assert.equal(heard.end.kind, "finished", JSON.stringify(heard.end));
    assert.ok(heard.lines.includes("FOUND "), heard.lines.join("\n"));
    assert.ok(!existsSync(join(folder, "escape-2")));
    const died = await hearJob(
      shared,
      programJob(
        workFolder(folder),
        { "train.ts": "export async function train() { process.kill(process.pid, 'SIGKILL'); }" },
        program,
      ),
    );
    assert.match(died.end.kind === "failed" ? died.end.reason : "", /ended early \(signal SIGKILL\)/);
  },
);

test("a program that is not confined finds what these tests look for: they can fail", { skip }, async () => {
  const plain = machineRunner({
    slots: 1,
    machine: { cores: 1, gpus: 0 },
    environment: { ...process.env, ...environment },
    interpreter: findInterpreter(process.env),
  });
  const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"] };
  const job = programJob(workFolder(folder), { "run.py": escape(0, false) }, program);
  const { lines } = await hearJob(plain, job);
  await plain.close();
  for (const what of ["credential", "home", "agent's environ", "agent's descriptors"])
    assert.ok(
      lines.some((line) => line.startsWith(`ESCAPE ${what}`)),
      `${what} in ${lines.join("\n")}`,
    );
});

const asUser = process.getuid?.() === 0 && process.env["TRIALMESH_TEST_AS_USER"] === undefined;
test(
  "SANDBOX-7: all of it as an ordinary user",
  { skip: skip === false && asUser ? false : skip || "is one" },
  (context) => {
    const own = mkdtempSync(join(tmpdir(), "trialmesh-sandbox-user-"));
    chmodSync(own, 0o777);
    const words = ["--reuid", "65534", "--regid", "65534", "--clear-groups", process.execPath, "--test"];
    const result = spawnSync("setpriv", [...words, fileURLToPath(import.meta.url)], {
      encoding: "utf8",
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: own,
        TMPDIR: own,
        TRIALMESH_TEST_AS_USER: "1",
      },
    });
    rmSync(own, { recursive: true, force: true });
    if (result.error !== undefined || /Permission denied|Cannot find module/.test(result.stderr))
      return context.skip(`NOT TESTED: nobody may not read the tests here: ${result.stderr.slice(0, 200)}`);
    assert.equal(result.status, 0, result.stdout);
  },
);
