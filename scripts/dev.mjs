/**
 * `npm run dev [-- words for up]`: a whole mesh on this machine, built anew and restarted whenever a
 * source changes. It looks at the sources' dates itself: notices of the file system (and with them
 * the compiler's own watch) do not arrive on every kind of folder.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prepareBuild, prepareNode, preparePackages, prepareServer, sourceStamp } from "./prepare.mjs";
import { root, runScript, say, StepFailed } from "./step.mjs";

const lookEveryMs = 500;
const endTimeoutMs = 8_000;

await runScript(async (parameters) => {
  await preparePackages();
  const node = await prepareNode();
  const ended = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => ended.abort());
  let env = null;
  let mesh = null;
  let built = "";
  while (!ended.signal.aborted) {
    const stamp = sourceStamp();
    if (stamp !== built) {
      built = stamp;
      if (await buildAnew(node)) {
        env ??= await meshEnvironment(node);
        mesh ??= meshProcess(node, parameters, env);
        mesh.restart();
      }
    }
    await sleep(lookEveryMs, null, { signal: ended.signal }).catch(() => null);
  }
  await mesh?.stop();
  return 0;
});

/** False, with the compiler's complaints shown, when the sources do not compile: the old mesh runs on. */
async function buildAnew(node) {
  try {
    await prepareBuild(node);
    return true;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    say(error.message);
    return false;
  }
}

async function meshEnvironment(node) {
  return process.env.NATS_URL
    ? process.env
    : { ...process.env, TRIALMESH_NATS_SERVER: await prepareServer(node) };
}

/** One `trialmesh up` at a time: a restart waits for the old one to let go of its port and home. */
function meshProcess(node, parameters, env) {
  let child = null;
  let turn = Promise.resolve();
  const stopNow = () =>
    new Promise((done) => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return done();
      const late = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
      child.once("exit", () => {
        clearTimeout(late);
        done();
      });
      child.kill("SIGTERM");
    });
  const startNow = () => {
    say("mesh: starting");
    child = spawn(node, [join(root, "dist", "cli", "main.js"), "up", ...parameters], {
      cwd: root,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    });
  };
  return {
    restart: () => {
      turn = turn.then(stopNow).then(startNow);
    },
    stop: () => {
      turn = turn.then(stopNow);
      return turn;
    },
  };
}
