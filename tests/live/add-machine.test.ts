/**
 * A machine that has nothing but an ssh server joins: a real sshd, another user with an empty folder and no Node on its path,
 * and a mesh of its own.
 */
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CliMesh } from "../support/cli-mesh.ts";
import { killIfThere } from "../support/home-process.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { processesUnder } from "../support/process-tree.ts";
import type { CliResult } from "../support/run-cli.ts";
import { skipWithoutSshd, SshServer } from "../support/ssh-server.ts";
import { until } from "../support/until.ts";

const sweepOfOne = `name: first
task: noop
search: {method: random, trials: 1, seed: 3}
stopping: {policy: none, max: 2}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: 20}
`;

/** The `uname` of a machine of another kind. */
const board = `#!/bin/sh
case $1 in -m) echo aarch64 ;; -s) echo Linux ;; *) echo board ;; esac
`;

/** An `npm` without a way to its registry. */
const lostNpm = `#!/bin/sh
echo npm warn old >&2
echo npm error code ENOTFOUND >&2
exit 1
`;

/** One that installs a Node of that machine, which cannot run here and says how many lines it was told. */
const otherNpm = `#!/bin/sh
[ "$1" = install ] && [ -f package-lock.json ] || exit 1
mkdir -p node_modules/.bin
cat >node_modules/.bin/node <<"END"
#!/bin/sh
case "$*" in
  *join*) echo "trialmesh: told $(grep -c .)" >&2; exit 1 ;;
  *) echo 0.1.0 ;;
esac
END
chmod 755 node_modules/.bin/node
`;

/** Does with a unit what systemd would: runs its command line. */
const systemctl = `#!/bin/sh
[ "$1" = --user ] && shift
case $1 in
  show-environment|daemon-reload|enable) exit 0 ;;
  restart)
    kill $(cat "$HOME/service.pid" 2>/dev/null) 2>/dev/null
    command=$(sed -n "s/^ExecStart=//p" "$HOME/.config/systemd/user/$2")
    sh -c "exec setsid $command" >"$HOME/service.log" 2>&1 </dev/null &
    echo $! >"$HOME/service.pid" ;;
esac
`;

describe("ADD-2: trialmesh add", { skip: skipWithoutNats || skipWithoutSshd }, () => {
  const mesh = new CliMesh();
  let ssh: SshServer;

  before(async () => {
    ssh = await SshServer.start();
    mesh.ofHome.set("one", { PATH: ssh.path, TRIALMESH_CACHE: join(mesh.folder, "cache") });
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--no-agent");
    await up.saidLine(/mesh mesh is up/);
  });
  after(async () => {
    await mesh.close();
    await ssh?.close();
  });

  const words = (...more: readonly string[]): readonly string[] => [
    "add",
    ssh.destination,
    "--name",
    "bare",
    ...more,
  ];
  const add = (...more: readonly string[]): Promise<CliResult> => mesh.run("one", ...words(...more));
  const root = (): string => join(ssh.home, ".local/share/trialmesh");
  const builds = (): readonly string[] =>
    existsSync(join(root(), "build")) ? readdirSync(join(root(), "build")) : [];
  const agents = (): readonly number[] =>
    ssh
      .processes()
      .filter((one) => one.words.includes(" agent --name bare"))
      .map(({ pid }) => pid)
      .toSorted((a, b) => a - b);

  async function refused(sentence: RegExp, ...more: readonly string[]): Promise<void> {
    const { code, err, out } = await add(...more);
    assert.equal(code, 1, out);
    assert.match(err, sentence);
    const sentences = err.split("\n").filter((line) => line.startsWith("trialmesh: "));
    assert.equal(sentences.length, 1, err);
  }

  test("ADD-5: what makes it fail is told before anything is there", async () => {
    ssh.replaceTool(
      "df",
      `#!/bin/sh\necho "Filesystem 1024-blocks Used Available Capacity Mounted on"\necho "/dev/a 1000 900 100 90% /"\n`,
    );
    await refused(/0\.0 GiB free.*free some space/u);
    ssh.restoreTool("df");
    ssh.replaceTool("uname", board);
    await refused(/linux on arm64.*has no npm/u);
    ssh.restoreTool("uname");
    await refused(/has no systemd for its users/u, "--service");
    await refused(/no ssh server answers/u, "--port", "1");
    assert.deepEqual(readdirSync(ssh.home), []);
  });

  test("ADD-3: an address that it does not reach is told, and the invitation is taken back", async () => {
    await refused(
      /could not join: no mesh answers at nats:\/\/127\.0\.0\.1:1/u,
      "--url",
      "nats://127.0.0.1:1",
    );
    assert.ok(!existsSync(join(root(), "current")));
    assert.deepEqual(agents(), []);
    const { out } = await mesh.run("one", "invite", "--list");
    assert.match(out, /bare.*withdrawn|withdrawn.*bare|taken back/u);
  });

  test("another kind of machine gets the code alone, and npm there installs what that runs by", async () => {
    ssh.empty();
    ssh.replaceTool("uname", board);
    ssh.replaceTool("npm", lostNpm);
    await refused(/npm could not install what trialmesh runs by: npm error code ENOTFOUND/u);
    assert.deepEqual(builds(), []);
    ssh.replaceTool("npm", otherNpm);
    await refused(/has the build, and could not join: told 1/u);
    const [build = ""] = builds();
    const inside = readdirSync(join(root(), "build", build));
    assert.ok(inside.includes("package") && !inside.includes("node"), inside.join(" "));
    ssh.restoreTool("uname");
  });

  test("ADD-3: killed while it brings the build, it leaves nothing that anybody takes for one", async () => {
    ssh.empty();
    ssh.replaceTool("tar", "#!/bin/sh\nexec sleep 1000\n");
    const adding = mesh.start("one", ...words());
    await until("the build to be on its way", () => (builds().length > 0 ? true : null));
    for (const pid of processesUnder(adding.pid)) killIfThere(pid);
    await adding.end("SIGKILL");
    ssh.restoreTool("tar");
    ssh.endOthers();
    assert.ok(
      builds().every((name) => name.startsWith(".part-")),
      builds().join(" "),
    );
    assert.ok(!existsSync(join(root(), "current")));
  });

  test("ADD-4: from nothing to a finished trial, and no command line shows the invitation", async (context) => {
    const startedAt = performance.now();
    const seen: string[] = [];
    const watch = setInterval(() => seen.push(...ssh.processes().map((one) => one.words)), 20);
    const added = await add("--slots", "1");
    clearInterval(watch);
    assert.equal(added.code, 0, added.err);
    assert.match(added.out, /is agent bare of the mesh now/u);
    const addedMs = Math.round(performance.now() - startedAt);
    const sweep = await mesh.run("one", "sweep", "run", mesh.write("first.yaml", sweepOfOne));
    assert.equal(sweep.code, 0, sweep.err);
    const doneMs = Math.round(performance.now() - startedAt);
    context.diagnostic(`added in ${addedMs} ms, a trial done after ${doneMs} ms`);
    assert.ok(
      seen.some((line) => line.includes(" join ")),
      "the join was not seen",
    );
    assert.deepEqual(
      seen.filter((line) => /tm\d\./u.test(line)),
      [],
    );
    assert.equal(builds().length, 1, builds().join(", "));
  });

  test("again it changes nothing", async () => {
    const before = agents();
    const again = await add("--slots", "1");
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, /is agent bare already/u);
    assert.deepEqual(agents(), before);
  });

  test("as a service it runs by the words of its unit, and once", async () => {
    ssh.replaceTool("systemctl", systemctl);
    ssh.replaceTool("loginctl", "#!/bin/sh\nexit 1\n");
    const served = await add("--slots", "1", "--service");
    assert.equal(served.code, 0, served.err);
    assert.match(served.err, /lingering is not allowed/u);
    assert.match(served.out, /it starts with the machine/u);
    const launched = agents().length;
    // The launcher's Node and the one it runs.
    assert.ok(launched > 0 && launched <= 2, String(launched));
  });

  test("ADD-6: machines says what each runs, and upgrade brings it to this build or back to its own", async () => {
    const [build = ""] = builds();
    const old = "0123456789ab";
    const place = (name: string): string => join(root(), "build", name);
    cpSync(place(build), place(old), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    ssh.own(place(old));
    unlinkSync(join(root(), "current"));
    symlinkSync(`build/${old}`, join(root(), "current"));
    const record = join(mesh.folder, "one", "machines", "bare.json");
    writeFileSync(record, readFileSync(record, "utf8").replace(build, old), { mode: 0o600 });
    const machines = await mesh.run("one", "machines");
    assert.match(
      machines.out,
      /^bare +present +\S+ 0123456789ab \(trialmesh upgrade\) +linux-\S+ +.*added over ssh/mu,
    );

    writeFileSync(join(place(build), "bin", "trialmesh"), "#!/bin/sh\necho broken >&2\nexit 1\n");
    const failed = await mesh.run("one", "upgrade");
    assert.equal(failed.code, 1, failed.out);
    assert.match(failed.out, /does not run there: broken; the one before runs again/u);
    assert.equal(readlinkSync(join(root(), "current")), `build/${old}`);
    assert.match((await mesh.run("one", "agents")).out, /^bare +present/mu);

    const upgraded = await mesh.run("one", "upgrade", "bare");
    assert.equal(upgraded.code, 0, upgraded.out + upgraded.err);
    assert.match(upgraded.out, /bare runs this build now/u);
    assert.equal(readlinkSync(join(root(), "current")), `build/${build}`);
    assert.match((await mesh.run("one", "upgrade")).out, /has this build already/u);
    assert.match((await mesh.run("one", "agents")).out, /^bare +present/mu);
    const stranger = await mesh.run("one", "upgrade", "tower");
    assert.match(stranger.err, /tower was not added from here/u);
  });

  test("ADD-5: a name that is taken, and a host key that changed, end it", async () => {
    ssh.empty();
    await refused(/agent bare already has a credential.*choose another name for .* with --name/u);
    assert.deepEqual(readdirSync(ssh.home), []);
    await ssh.changeHostKey();
    await refused(/shows another host key.*ssh-keygen -R 127\.0\.0\.1/u);
  });
});
