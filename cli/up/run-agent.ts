/** An agent as a process: its credential, its folder, its owner's policy, its measured machine, until it is stopped. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { startAgent } from "../../agent/agent.ts";
import { openDiskCache } from "../../agent/cache/disk-cache.ts";
import { idleSourcesHere } from "../../agent/owner/idle/sources-here.ts";
import { othersLoad } from "../../agent/owner/others-load.ts";
import { readPower } from "../../agent/owner/power.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { machineRunner } from "../../agent/runner/machine-runner.ts";
import { loadIdentity } from "../../mesh/identity.ts";
import { ensurePrivateFolder } from "../../mesh/private-file.ts";
import { systemClock } from "../../protocol/system-clock.ts";
import { exitCode, type ExitCode } from "../exit-code.ts";
import { printRefusal } from "../print/answer.ts";
import type { Terminal } from "../terminal.ts";
import { connectAs } from "../with-mesh.ts";
import { agentPolicy, type PolicyFlags } from "./agent-policy.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { machineLoad, minuteOfDay } from "./machine-load.ts";
import { measureMachine } from "./measure-machine.ts";
import { openStore } from "./open-store.ts";
import { claimProcess } from "./process-lock.ts";
import { untilStopped } from "./until-stopped.ts";

/** Of what an agent keeps in its store: outbox, leases, cache index. */
const storeVersion = "agent-1";
const bytesPerGiB = 1024 ** 3;

export interface RunAgentOptions extends LocalOptions, PolicyFlags {
  /** Disk for datasets and checkpoints, in GiB. */
  readonly cacheQuota: number;
}

export async function runAgent(terminal: Terminal, options: RunAgentOptions): Promise<ExitCode> {
  const local = await localCredential(terminal.environment, "agent", options);
  if (!local.ok) return printRefusal(terminal, {}, local.refusal);
  const { home, credential } = local.value;
  const { name } = credential;
  const lock = await claimProcess(home, "agent", name);
  if (!lock.ok) return printRefusal(terminal, {}, lock.refusal);
  try {
    const folder = ensurePrivateFolder(join(home.path, "agent", name));
    if (!folder.ok) return printRefusal(terminal, {}, folder.refusal);
    // Who has the mesh's keys can reach every agent anyway: on that machine their own programs may run from the start.
    const programs = loadIdentity(home).ok ? "own" : "none";
    const owner = agentPolicy(folder.value, options, programs);
    if (!owner.ok) return printRefusal(terminal, {}, owner.refusal);
    const { policy, labels, idleCommand } = owner.value;
    const capability = await measureMachine({
      environment: terminal.environment,
      folder: folder.value,
      labels,
      fresh: false,
      progress: (line) => terminal.note(line),
    });
    const bus = await connectAs(home, credential, true);
    if (!bus.ok) return printRefusal(terminal, {}, bus.refusal);
    const store = await openStore(join(folder.value, "store"), storeVersion);
    if (!store.ok) {
      await bus.value.close();
      return printRefusal(terminal, {}, store.refusal);
    }
    const artifacts = await openDiskCache({
      dir: join(folder.value, "cache"),
      store: store.value,
      bus: bus.value,
      mesh: home.mesh,
      clock: systemClock,
      quotaBytes: Math.round(options.cacheQuota * bytesPerGiB),
    });
    const halted = Promise.withResolvers<{ readonly kind: "halted"; readonly reason: string }>();
    const { host } = capability;
    const runner = machineRunner({
      slots: Math.max(1, policy.slots),
      machine: {
        cores: Math.max(1, host.cores - policy.leaveFreeCores),
        gpus: host.gpus.filter(({ vendor }) => /nvidia/i.test(vendor)).length,
      },
      environment: terminal.environment,
      interpreter: findInterpreter(terminal.environment),
    });
    const agent = startAgent({
      mesh: home.mesh,
      name,
      bus: bus.value,
      store: store.value,
      runner,
      artifacts,
      clock: systemClock,
      incarnation: randomUUID(),
      capability,
      policy,
      load: machineLoad(),
      owner: {
        idle: policy.idle === null ? [] : idleSourcesHere(idleCommand),
        power: readPower,
        othersLoad: othersLoad(() => runner.processes()),
      },
      minuteOfDay,
      log: (line) => terminal.note(line),
      onHalt: (reason) => halted.resolve({ kind: "halted", reason }),
    });
    terminal.note(`agent ${name} lends ${policy.slots} slots to mesh ${home.mesh} at ${home.url}`);
    const end = await Promise.race([untilStopped(bus.value), halted.promise]);
    await agent.stop();
    await bus.value.close();
    await store.value.close();
    if (end.kind === "asked") return exitCode.ok;
    const why =
      end.kind === "halted" ? end.reason : `the mesh no longer accepts agent ${name}: ${end.reason}`;
    terminal.note(`trialmesh: ${why}`);
    return exitCode.failed;
  } finally {
    lock.value.release();
  }
}
