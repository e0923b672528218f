/**
 * Python's servers with a scikit-learn classifier of the same questions: TF-IDF over words and word pairs, logistic regression. Each has a
 * virtual environment of its own, outside the project; what is not there is said and left out.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";
import type { LaneWords } from "./server-lane.ts";
import { trecFolder } from "./trained-model.ts";

export const peerNames = ["fastapi", "bentoml", "mlserver", "litserve", "mlflow"] as const;
export type PeerName = (typeof peerNames)[number];

const scikit = "scikit-learn==1.9.1";
const packages: Readonly<Record<PeerName, readonly string[]>> = {
  fastapi: ["fastapi==0.165.0", "uvicorn[standard]==0.54.0"],
  bentoml: ["bentoml==1.4.40"],
  mlserver: ["mlserver==1.7.1", "mlserver-sklearn==1.7.1", "uvloop<0.22"],
  litserve: ["litserve==0.2.19"],
  mlflow: ["mlflow==3.17.2"],
};

const folder =
  process.env["TRIALMESH_SERVING_PEERS"] ?? join(homedir(), ".cache", "trialmesh", "serving-peers");
const programs = join(projectFolder, "bench", "serving", "peers");
const modelFolder = join(folder, "model");
const basePort = 39_310;

function inside(name: PeerName, program: string): string {
  return join(folder, `v-${name}`, "bin", program);
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${words.join(" ")}: ${stderr.slice(-500)}`);
}

export function installPeers(say: (line: string) => void): void {
  for (const name of peerNames) {
    say(`bringing in ${name}`);
    if (!existsSync(inside(name, "python"))) run("python3", "-m", "venv", join(folder, `v-${name}`));
    run(inside(name, "python"), "-m", "pip", "install", "-q", scikit, ...packages[name]);
  }
}

/** A sentence where it is not there. */
export function peerLane(name: PeerName): LaneWords | string {
  if (!existsSync(inside(name, "python")))
    return `skipped: there is no ${inside(name, "python")}; --install brings it in`;
  try {
    trainOnce(name);
  } catch (fault) {
    return `skipped: ${fault instanceof Error ? fault.message : String(fault)}`;
  }
  return lanes[name](basePort + 3 * peerNames.indexOf(name));
}

/** The pipeline is made with the first peer's own scikit-learn; all have the same version. */
function trainOnce(name: PeerName): void {
  if (!existsSync(join(modelFolder, "model.joblib")))
    run(inside(name, "python"), join(programs, "train.py"), trecFolder, modelFolder);
  if (name === "mlflow" && !existsSync(join(modelFolder, "mlflow")))
    run(inside(name, "python"), join(programs, "mlflow_save.py"), modelFolder);
}

const plainBody = (texts: readonly string[]) => JSON.stringify({ texts });
const shared = {
  PEER_MODEL: modelFolder,
  PYTHONPATH: programs,
  PYTHONWARNINGS: "ignore",
  OMP_NUM_THREADS: "1",
};

const lanes: Readonly<Record<PeerName, (port: number) => LaneWords>> = {
  fastapi: (port) => ({
    ...{ name: "fastapi", port, path: "/predict", body: plainBody, environment: shared },
    command: [
      inside("fastapi", "python"),
      "-m",
      "uvicorn",
      "fastapi_app:app",
      "--port",
      String(port),
      "--no-access-log",
      "--log-level",
      "warning",
    ],
  }),
  bentoml: (port) => ({
    ...{ name: "bentoml", port, path: "/predict", body: plainBody },
    environment: {
      ...shared,
      BENTOML_DO_NOT_TRACK: "true",
      BENTOML_CONFIG_OPTIONS: "services.logging.access.enabled=false",
    },
    command: [
      inside("bentoml", "python"),
      "-m",
      "bentoml",
      "serve",
      "bentoml_service:Trec",
      "--working-dir",
      programs,
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
    ],
  }),
  litserve: (port) => ({
    ...{ name: "litserve", port, path: "/predict", body: plainBody, environment: shared },
    command: [inside("litserve", "python"), join(programs, "litserve_app.py"), String(port)],
  }),
  mlserver: (port) => ({
    ...{ name: "mlserver", port, path: "/v2/models/trec/infer" },
    body: (texts) =>
      JSON.stringify({
        inputs: [
          {
            name: "text",
            datatype: "BYTES",
            shape: [texts.length],
            data: texts,
            parameters: { content_type: "str" },
          },
        ],
        outputs: [{ name: "predict_proba" }],
      }),
    environment: {
      ...shared,
      ...{
        MLSERVER_HTTP_PORT: String(port),
        MLSERVER_GRPC_PORT: String(port + 1),
        MLSERVER_METRICS_PORT: String(port + 2),
      },
      ...{
        MLSERVER_HOST: "127.0.0.1",
        MLSERVER_PARALLEL_WORKERS: "0",
        MLSERVER_METRICS_DIR: folder,
        MLSERVER_DEBUG: "false",
      },
    },
    command: [inside("mlserver", "mlserver"), "start", join(modelFolder, "mlserver")],
  }),
  mlflow: (port) => ({
    ...{ name: "mlflow", port, path: "/invocations" },
    body: (texts) =>
      JSON.stringify({ dataframe_split: { columns: ["text"], data: texts.map((text) => [text]) } }),
    environment: { ...shared, PATH: `${join(folder, "v-mlflow", "bin")}:${process.env["PATH"] ?? ""}` },
    command: [
      inside("mlflow", "python"),
      "-m",
      "mlflow",
      "models",
      "serve",
      "-m",
      join(modelFolder, "mlflow"),
      "--env-manager",
      "local",
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "-w",
      "1",
    ],
  }),
};
