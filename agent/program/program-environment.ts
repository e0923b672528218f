/**
 * The environment a program gets: little of the agent's own, nothing of its credentials, and what trialmesh has to say to it.
 * How many threads and which GPU it may use is the slot's to say.
 */

/** What programs need to be found and to find their own way, on Linux, macOS and Windows. */
const passedOn = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "LC_NUMERIC",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "VIRTUAL_ENV",
  "CONDA_PREFIX",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  "SYSTEMROOT",
  "WINDIR",
  "COMSPEC",
  "PATHEXT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "PROGRAMDATA",
  "PROGRAMFILES",
  "TRIALMESH_RUN",
] as const;

export interface ProgramPlace {
  readonly trial: string;
  readonly seed: number;
  /** Epochs to reach; null where the program has a length of its own. */
  readonly resource: number | null;
  readonly checkpointDir: string;
  readonly paramsFile: string;
  /** Where metrics may be posted as JSON, and MLflow's tracking server. */
  readonly reportUrl: string;
  readonly mlflowUrl: string;
}

export function baseEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = own[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export function environmentOf(place: ProgramPlace): Record<string, string> {
  return {
    TRIALMESH_TRIAL: place.trial,
    TRIALMESH_SEED: String(place.seed),
    ...(place.resource === null ? {} : { TRIALMESH_RESOURCE: String(place.resource) }),
    TRIALMESH_CHECKPOINT_DIR: place.checkpointDir,
    TRIALMESH_PARAMS: place.paramsFile,
    TRIALMESH_REPORT_URL: place.reportUrl,
    MLFLOW_TRACKING_URI: place.mlflowUrl,
    // Without this Python keeps lines back until its buffer is full.
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}
