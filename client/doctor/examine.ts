/** The checks of `trialmesh doctor`, in the order things depend on each other. Looks only; mends nothing. */
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { installCommand } from "../../training/runtime/managed-package.ts";
import { packageVersion as installedVersion } from "../../training/runtime/open.ts";
import { homeExists, homePath, openHome, type Home } from "../../mesh/home.ts";
import { findServer } from "../../mesh/server-binary.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import { runningServerPid } from "../../mesh/server-process.ts";
import { showVersion } from "../../mesh/server-version.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { MeshView } from "../../protocol/view.ts";
import { packageVersion } from "../../training/version/code-version.ts";
import type { SetAsideMessage } from "../../protocol/set-aside-view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes } from "../../text/figure.ts";
import { haltsIn } from "../../mesh/part/halt-record.ts";
import { defaultPort } from "../../mesh/part/start-mesh.ts";
import { connectMesh } from "../connect/connect-mesh.ts";
import { invitationViews } from "../connect/invitation-view.ts";
import { certificateFindings } from "./certificate-finding.ts";
import { sandboxFinding } from "./sandbox-finding.ts";
import type { Finding } from "./doctor-finding.ts";
import type { Environment } from "../../system/environment.ts";

const oldestNodeMajor = 22;
const diskFreeMinBytes = 2 * bytesPerGiB;
const packages = [
  "@nats-io/transport-node",
  "@nats-io/jetstream",
  "lmdb",
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-backend-wasm",
  "ink",
];

export interface Examination {
  readonly findings: readonly Finding[];
  /** Messages that the coordinator could not process, newest first. */
  readonly setAside: readonly SetAsideMessage[];
}

export async function examine(environment: Environment): Promise<Examination> {
  const path = homePath(environment);
  const home = homeExists(path) ? openHome(path) : null;
  const findings = [
    nodeFinding(),
    packageFinding(),
    nativeFinding(),
    await serverFinding(environment),
    await sandboxFinding(environment),
    homeFinding(path, home),
  ];
  findings.push(await diskFinding(home?.ok === true ? path : process.cwd()));
  if (home?.ok === true) {
    findings.push(await portFinding(home.value));
    findings.push(...invitationFindings(home.value), ...haltFindings(home.value));
    findings.push(...(await certificateFindings(home.value, Date.now())));
    const mesh = await examineMesh(environment, home.value);
    return { findings: [...findings, ...mesh.findings], setAside: mesh.setAside };
  }
  return { findings, setAside: [] };
}

function ok(check: string, found: string): Finding {
  return { check, verdict: "ok", found, advice: null };
}

function bad(verdict: "warn" | "fail", check: string, found: string, advice: string): Finding {
  return { check, verdict, found, advice };
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const found = `Node ${process.version}, trialmesh ${packageVersion}`;
  return major >= oldestNodeMajor
    ? ok("node", found)
    : bad("fail", "node", found, `run it with Node ${oldestNodeMajor} or newer (npm start brings its own)`);
}

function packageFinding(): Finding {
  const missing = packages.filter((name) => installedVersion(name) === null && !resolves(name));
  return missing.length === 0
    ? ok("packages", `${packages.length} of ${packages.length} found`)
    : bad("fail", "packages", `${missing.join(", ")} not installed`, "run `npm install`");
}

/** Some packages keep their package.json to themselves: finding the package is enough. */
function resolves(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function nativeFinding(): Finding {
  const found = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"].find(
    (name) => installedVersion(name) !== null,
  );
  return found === undefined
    ? bad(
        "warn",
        "tfjs-node",
        "not installed: textcnn trains on wasm, several times slower",
        `\`${installCommand("@tensorflow/tfjs-node")}\` adds it`,
      )
    : ok("tfjs-node", `${found} ${installedVersion(found) ?? ""}`.trim());
}

async function serverFinding(environment: Environment): Promise<Finding> {
  // No way to bring one in: a check must download nothing.
  const server = await findServer(environment, () => {}, []);
  if (!server.ok)
    return bad(
      "warn",
      "nats-server",
      `none on PATH or in ${cacheFolder(environment)}`,
      "`trialmesh up` brings one in, or point TRIALMESH_NATS_SERVER at one",
    );
  const { path, version, way, warning } = server.value;
  const found = `${showVersion(version)} at ${path} (${way})`;
  return warning === null ? ok("nats-server", found) : bad("warn", "nats-server", found, warning);
}

function homeFinding(path: string, home: Outcome<Home> | null): Finding {
  if (home === null)
    return bad(
      "warn",
      "home",
      `no mesh in ${path}`,
      "`trialmesh up` makes one, `trialmesh agent --join …` joins one",
    );
  return home.ok
    ? ok("home", `${path}, mesh ${home.value.mesh} at ${home.value.url}`)
    : bad("fail", "home", home.refusal.message, "see above");
}

async function diskFinding(folder: string): Promise<Finding> {
  const disk = await statfs(folder);
  const free = disk.bavail * disk.bsize;
  const found = `${formatBytes(free)} free for ${folder}`;
  return free >= diskFreeMinBytes
    ? ok("disk", found)
    : bad("warn", "disk", found, "free some space: journal, datasets and checkpoints live there");
}

/** A mesh that is down because nobody could lead says so: nothing else there would. */
function haltFindings(home: Home): Finding[] {
  return haltsIn(home).map(({ coordinator, reason }) =>
    bad("fail", "coordinator", `${coordinator} halted: ${reason}`, "docs/recovery.md has each case"),
  );
}

/** Without a server of ours, is the port free for one? */
async function portFinding(home: Home): Promise<Finding> {
  const { hostname, port } = new URL(home.url.replace(/^nats:/, "http:"));
  const number = port === "" ? defaultPort : Number(port);
  const pid = runningServerPid(home);
  if (pid !== null) return ok("port", `${number} served by process ${pid}`);
  if (!/^(127\.|localhost)/.test(hostname))
    return ok("port", `the server is another machine's (${hostname})`);
  const free = await isFree(number);
  return free
    ? ok("port", `${number} is free`)
    : bad(
        "fail",
        "port",
        `${number} is taken by another program`,
        "end it, or start with `trialmesh up --port 0`",
      );
}

/** Who came with a line that somebody else had used: one of the two may not be whom it was meant for. */
function invitationFindings(home: Home): Finding[] {
  const views = invitationViews(home, Math.floor(Date.now() / 1000));
  if (!views.ok || views.value.length === 0) return [];
  const twice = views.value.filter(({ turnedAway, used }) => used.length > 0 && turnedAway.length > 0);
  const who = twice.map(({ name, role, turnedAway, used }) => {
    const [first, later] = [used, turnedAway].map((list) => [...new Set(list.map(({ machine }) => machine))]);
    return `${role} ${name} by ${first?.join(", ")}, then by ${later?.join(", ")}`;
  });
  const open = views.value.filter(({ state }) => state === "open").length;
  return twice.length === 0
    ? [ok("invitations", `${plural(open, "open invitation")}, none used twice`)]
    : [
        bad(
          "warn",
          "invitations",
          `used twice: ${who.join("; ")}`,
          "whom was it meant for? `trialmesh invite --list` has the times, `trialmesh revoke NAME` cuts off",
        ),
      ];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

async function examineMesh(environment: Environment, home: Home): Promise<Examination> {
  const connected = await connectMesh(environment);
  if (!connected.ok) {
    const down = runningServerPid(home) === null;
    const advice =
      down && haltsIn(home).length === 0 ? "nothing is lost: it goes on where it was" : "see above";
    const finding = bad(down ? "warn" : "fail", "mesh", connected.refusal.message, advice);
    return { findings: [finding], setAside: [] };
  }
  const { client } = connected.value;
  try {
    const mesh = await client.query("mesh", {});
    const server = ok("server", `answers at ${home.url}`);
    if (!mesh.ok) {
      const leader = bad("fail", "leader", mesh.refusal.message, "see above");
      return { findings: [server, leader], setAside: [] };
    }
    const { epoch, leader, sequence } = mesh.value;
    const found = [
      server,
      ok("leader", `${leader}, epoch ${epoch}, journal at ${sequence}`),
      agentsFinding(mesh.value),
    ];
    // A coordinator of the version before keeps no such list.
    const aside = await client.query("set-aside", {});
    if (!aside.ok) return { findings: found, setAside: [] };
    const { messages } = aside.value;
    return { findings: [...found, asideFinding(messages)], setAside: messages };
  } finally {
    await client.close();
  }
}

function asideFinding([last, ...others]: readonly SetAsideMessage[]): Finding {
  if (last === undefined) return ok("messages", "none is set aside");
  const count = [last, ...others].reduce((sum, message) => sum + message.count, 0);
  return bad(
    "warn",
    "messages",
    `${plural(count, "message")} could not be processed and ${count === 1 ? "was" : "were"} set aside; the last, a ${last.kind} of ${last.sender}: ${last.sentence}`,
    "`trialmesh doctor --json` lists them; nothing waits for them",
  );
}

function agentsFinding({ agents }: MeshView): Finding {
  if (agents.length === 0)
    return bad("warn", "agents", "none has joined", "start one with `trialmesh agent`");
  const silent = agents.filter((agent) => agent.state === "silent").map((agent) => agent.agent);
  const found = `${plural(agents.length, "agent")}, ${plural(
    agents.reduce((sum, agent) => sum + agent.slots, 0),
    "slot",
  )}`;
  const quarantined = agents.flatMap(({ agent, cordonReason }) =>
    cordonReason === null ? [] : [`${agent} is quarantined: ${cordonReason}`],
  );
  if (quarantined.length > 0)
    return bad(
      "warn",
      "agents",
      `${found}; ${quarantined.join("; ")}`,
      "see to the machine, then `trialmesh agents cordon AGENT --end` lets it work again",
    );
  const lacking = agents.flatMap(({ agent, lacks }) => lacks.map(({ what }) => `${agent} lacks ${what}`));
  if (lacking.length > 0 && silent.length === 0)
    return bad(
      "warn",
      "agents",
      `${found}; ${lacking.join("; ")}`,
      "install it there, which the agent notices where it is a Python package, or say in the sweep file what it needs",
    );
  return silent.length === 0
    ? ok("agents", found)
    : bad(
        "warn",
        "agents",
        `${found}; silent: ${silent.join(", ")}`,
        "look whether they run and reach the server",
      );
}
