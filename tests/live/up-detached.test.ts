/** `up --detach` and `down` where all is not well: each says what it knows, by its status too, and waits for nobody for ever. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { allGone, processesOf } from "../support/home-process.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";
import { runCli, type CliResult } from "../support/run-cli.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-detached-"));
let homes = 0;

class Home {
  readonly path = join(folder, `home-${(homes += 1)}`);

  run(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CliResult> {
    return runCli(words, {
      CI: "1",
      TRIALMESH_HOME: this.path,
      TRIALMESH_NATS_SERVER: findNatsServer(),
      TRIALMESH_LEASE_MS: "6000",
      ...more,
    });
  }

  upDetached(more: Readonly<Record<string, string>> = {}, ...flags: readonly string[]): Promise<CliResult> {
    return this.run(["up", "--detach", "--port", "0", "--no-agent", ...flags], more);
  }
}

after(async () => {
  for (let home = 1; home <= homes; home++)
    for (const pid of processesOf(join(folder, `home-${home}`))) process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** One line, nothing on standard output, status 1. */
function refusalOf({ code, err, out }: CliResult): string {
  assert.equal(code, 1, err);
  assert.equal(out, "");
  assert.match(err, /^[^\n]+\n$/);
  return err;
}

describe(
  "UP-1: `up --detach` waits until the mesh answers, or says what its log knows",
  {
    skip: skipWithoutNats,
  },
  () => {
    test("a second one says that it is up, also one that comes while the first starts, and `down` ends it", async () => {
      const home = new Home();
      const both = await Promise.all([home.upDetached(), home.upDetached()]);
      assert.deepEqual(
        both.map(({ code }) => code),
        [0, 0],
        both.map(({ err }) => err).join(""),
      );
      const third = await home.upDetached();
      assert.equal(third.code, 0);
      const { pid, url } = readUpRecord(home) ?? assert.fail("it is up");
      assert.equal(
        third.out,
        `the mesh of ${home.path} is up already (process ${pid}, ${url}); \`trialmesh down\` ends it\n`,
      );
      const json = await home.upDetached({}, "--json");
      assert.deepEqual(JSON.parse(json.out), { pid, url, already: true });
      assert.match(refusalOf(await home.run(["up"])), /is up already \(process \d+, nats:/);
      assert.equal((await home.run(["down"])).out, `the mesh of ${home.path} is down\n`);
      await allGone(home.path);
      assert.match(refusalOf(await home.run(["down"])), /no mesh of .* is up$/m);
    });

    test("a port that is taken", async () => {
      const holder = createServer();
      await new Promise<void>((done) => holder.listen(0, "127.0.0.1", done));
      const address = holder.address();
      assert.ok(address !== null && typeof address === "object");
      const home = new Home();
      const said = refusalOf(await home.upDetached({}, "--port", String(address.port)));
      assert.match(
        said,
        /^trialmesh: the mesh did not start: port \d+ on 127\.0\.0\.1 is taken by another program; .* \(log: /,
      );
      await allGone(home.path);
      await new Promise((done) => holder.close(done));
    });

    test("a server that is none, and one that ends at once", async () => {
      const fake = join(folder, "fake-server");
      const cases: readonly [string, RegExp][] = [
        ["exit 3", /fake-server, which is not a nats-server that runs on this machine/],
        [
          '[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit 0; exit 3',
          /nats-server stopped as soon as it started: exit code 3/,
        ],
      ];
      for (const [text, reason] of cases) {
        writeFileSync(fake, `#!/bin/sh\n${text}\n`);
        chmodSync(fake, 0o755);
        const home = new Home();
        assert.match(refusalOf(await home.upDetached({ TRIALMESH_NATS_SERVER: fake })), reason);
        await allGone(home.path);
      }
    });

    test("while it starts it can be ended, and says so", async () => {
      const fake = join(folder, "slow-server");
      writeFileSync(
        fake,
        '#!/bin/sh\n[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit 0; sleep 60\n',
      );
      chmodSync(fake, 0o755);
      const home = new Home();
      const front = home.upDetached({ TRIALMESH_NATS_SERVER: fake });
      await until("its record", () => readUpRecord(home));
      const down = await home.run(["down"]);
      assert.equal(down.code, 0, down.err);
      assert.match(refusalOf(await front), /the mesh did not start: /);
      await allGone(home.path);
    });

    test("a home that is a file, and one of another version", async () => {
      const home = new Home();
      writeFileSync(home.path, "");
      assert.match(
        refusalOf(await home.upDetached()),
        /is a file; trialmesh needs a folder there|where a folder should be/,
      );
      const other = new Home();
      mkdirSync(other.path);
      writeFileSync(join(other.path, "mesh.json"), '{"version":99,"mesh":"mesh","url":"nats://127.0.0.1:1"}');
      assert.match(refusalOf(await other.upDetached()), /the mesh did not start: .* is a home of version 99/);
    });

    test("a full disk", { skip: skipWithoutNats === false ? noMount() : skipWithoutNats }, async () => {
      const home = new Home();
      mkdirSync(home.path);
      assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", home.path]).status, 0);
      try {
        spawnSync("sh", ["-c", `cat /dev/zero > ${home.path}/filler`], { stdio: "ignore" });
        assert.match(refusalOf(await home.upDetached()), /the disk is full; free some space/);
        await allGone(home.path);
      } finally {
        spawnSync("umount", ["-l", home.path]);
      }
    });

    test(
      "a disk too small for the streams: why it waits is told at once, where it was asked",
      {
        skip: skipWithoutNats === false ? noMount() : skipWithoutNats,
      },
      async () => {
        const home = new Home();
        mkdirSync(home.path);
        assert.equal(spawnSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", home.path]).status, 0);
        try {
          const asked = home.upDetached();
          const log = join(home.path, "run", "up.log");
          await until("its coordinator to wait", () =>
            existsSync(log) && readFileSync(log, "utf8").includes("coordinator: waiting: ") ? true : null,
          );
          assert.equal((await home.run(["down"])).code, 0);
          const { code, err } = await asked;
          assert.equal(code, 1);
          assert.match(
            err,
            /^coordinator: waiting: .* too little disk for stream \S+; .*\ntrialmesh: [^\n]+\n$/,
          );
          await allGone(home.path);
        } finally {
          spawnSync("umount", ["-l", home.path]);
        }
      },
    );
  },
);

describe("DOWN-1: `down` ends what is up and nothing else", { skip: skipWithoutNats }, () => {
  test("a record whose process id another process has by now is nobody's", async () => {
    const home = new Home();
    assert.equal((await home.upDetached()).code, 0);
    const record = readFileSync(join(home.path, "run", "up.json"), "utf8");
    assert.equal((await home.run(["down"])).code, 0);
    writeFileSync(join(home.path, "run", "up.json"), record.replace(/"pid": \d+/, `"pid": ${process.pid}`));
    assert.match(refusalOf(await home.run(["down"])), /no mesh of .* is up$/m);
  });

  test("an `up` that stands still", { skip: process.platform !== "linux" && "only Linux" }, async () => {
    const home = new Home();
    assert.equal((await home.upDetached()).code, 0);
    for (const pid of processesOf(home.path))
      if (!readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("/bin/sh")) process.kill(pid, "SIGSTOP");
    const down = await home.run(["down"]);
    assert.equal(down.code, 0, down.err);
    await allGone(home.path);
  });
});

describe(
  "END-3: a home that is deleted under a mesh ends it, with one sentence",
  { skip: skipWithoutNats },
  () => {
    const whats: readonly [string, string][] = [
      ["all of it", "."],
      ["the server's store", join("server", "store")],
    ];
    for (const [name, path] of whats)
      test(name, async () => {
        const home = new Home();
        assert.equal((await home.upDetached({}, "--name", "one")).code, 0);
        const log = join(folder, `log-${homes}`);
        spawnSync("ln", [join(home.path, "run", "up.log"), log]);
        rmSync(join(home.path, path), { recursive: true, force: true, maxRetries: 5 });
        await allGone(home.path);
        const said = readFileSync(log, "utf8");
        assert.equal(said.split("was deleted while it was in use").length - 1 >= 1, true, said);
        assert.ok(said.split("\n").length < 40, said);
      });
  },
);

for (const store of ["store", "journal-copy"])
  test(
    `STORE-9: a coordinator whose ${store} is deleted under it begins it anew`,
    { skip: skipWithoutNats },
    async () => {
      const home = new Home();
      assert.equal((await home.upDetached({}, "--name", "one")).code, 0);
      const opened = await home.run(["account", "open", "ada", "--grant", "7"]);
      assert.equal(opened.code, 0, opened.err);
      rmSync(join(home.path, "coordinator", "one", store), { recursive: true, force: true, maxRetries: 5 });
      await home.run(["budget", "grant", "ada", "5"]);
      const said = () => readFileSync(join(home.path, "run", "up.log"), "utf8");
      await until("it to begin anew", () => /anew/.test(said()));
      await until("the leader to answer", async () => {
        const shown = await home.run(["budget", "show", "ada", "--json"]);
        return shown.code === 0 && /12/.test(shown.out) ? true : null;
      });
      assert.equal((await home.run(["down"])).code, 0);
      await allGone(home.path);
    },
  );

function noMount(): string | false {
  const place = mkdtempSync(join(tmpdir(), "trialmesh-mount-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", place]).status === 0;
  if (mounted) spawnSync("umount", [place]);
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  return mounted ? false : "this user may not mount a small disk";
}
