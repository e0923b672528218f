/** The same bytes by an rsync daemon on loopback: no encryption, the whole file, as its own program does it. */
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ChildProgram } from "../shared/child-program.ts";
import { freePort } from "./object-store-lane.ts";

const startMs = 300;

/** Bytes a second; null where there is no rsync. */
export async function rsyncRound(folder: string, file: string, bytes: number): Promise<number | null> {
  if (spawnSync("rsync", ["--version"], { stdio: "ignore" }).status !== 0) return null;
  const port = await freePort();
  const config = join(folder, "rsyncd.conf");
  const settings = ["use chroot = no", "uid = root", "gid = root", "[files]", `path = ${dirname(file)}`];
  writeFileSync(config, `${settings.join("\n")}\n`);
  const words = ["--daemon", "--no-detach", "--address=127.0.0.1", `--port=${port}`, `--config=${config}`];
  const daemon = new ChildProgram("rsync", words);
  try {
    await new Promise((resolve) => setTimeout(resolve, startMs));
    const from = `rsync://127.0.0.1:${port}/files/${basename(file)}`;
    const began = performance.now();
    execFileSync("rsync", ["--whole-file", from, join(folder, "got")], { stdio: "ignore" });
    return (bytes / (performance.now() - began)) * 1_000;
  } finally {
    await daemon.stop();
  }
}
