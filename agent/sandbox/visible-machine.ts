/**
 * What of a machine a confined program sees: its programs and libraries, what of /etc they need, its GPUs, its Python, and what its
 * owner adds. Everything else is not there: no home, nothing of the mesh's. It only looks.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, sep } from "node:path";
import type { Environment } from "../../system/environment.ts";
import type { Mount } from "./bubblewrap-option.ts";

export interface VisibleMachine {
  readonly mounts: readonly Mount[];
  /** Folders and files that are seen where they lie. */
  readonly readable: readonly string[];
  /** Covered wherever it lies in what is seen otherwise: the mesh's home, the agent's folder. */
  readonly secret: readonly string[];
  /** To stand first on the path, where what is there only points at the Python; else null. */
  readonly pythonFolder: string | null;
  /** Where this user's own packages of Python are; null where there are none. */
  readonly userBase: string | null;
}

const programFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store"];

/** What programs read of /etc. Passwords, keys and settings of services are not among it. */
const settings = [
  ...[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "fonts",
    "group",
    "hosts",
  ],
  ...["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "OpenCL"],
  ...[
    "os-release",
    "passwd",
    "pki/ca-trust",
    "pki/tls/certs",
    "pki/tls/cert.pem",
    "protocols",
    "resolv.conf",
  ],
  ...["services", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf", "timezone", "vulkan"],
];

/** What numeric libraries ask of the processors and cards. */
const systemFacts = ["/sys/bus", "/sys/class", "/sys/dev", "/sys/devices", "/sys/fs/cgroup", "/sys/module"];

/** Too much is in them to be shown for the sake of one thing. */
const wideFolders = [
  "/",
  "/dev",
  "/etc",
  "/home",
  "/media",
  "/mnt",
  "/proc",
  "/run",
  "/srv",
  "/sys",
  "/tmp",
  "/var",
  "/var/tmp",
];

const cards = /^(?:nvidia.*|dri|kfd|dxg)$/;

export interface MachineFolders {
  readonly environment: Environment;
  /** What the Python that programs get names as its own: its executable, and where it looks for modules. */
  readonly python: readonly string[];
  /** What the owner adds. */
  readonly reads: readonly string[];
  /** What nobody's program may see. */
  readonly secret: readonly string[];
}

/** SANDBOX-6. */
export function visibleMachine({ environment, python, reads, secret }: MachineFolders): VisibleMachine {
  const home = environment["HOME"] ?? "";
  // By both names: a folder may be reached through a link.
  const kept = [
    ...new Set([...secret, ...(home === "" ? [] : [home])].flatMap((path) => [path, real(path)])),
  ];
  const isSafe = (path: string): boolean =>
    isAbsolute(path) &&
    existsSync(path) &&
    !wideFolders.includes(real(path)) &&
    !kept.some((folder) => isWithin(folder, real(path)));
  const isSystem = (path: string): boolean => programFolders.some((folder) => isWithin(path, folder));
  const found = [...pathFolders(environment), ...python.flatMap(pythonFolders)].filter(isSafe);
  const readable = [...new Set([...found.filter((path) => !isSystem(path)), ...reads])];
  const executable = python.find((path) => isPython(path) && !libraryOf(path));
  const userBase = environment["PYTHONUSERBASE"] ?? (home === "" ? null : join(home, ".local"));
  return {
    mounts: [...programFolders.flatMap(programMount), ...settings.map(settingMount), ...deviceMounts()],
    readable: readable.toSorted((a, b) => a.length - b.length),
    secret: [...new Set(secret.flatMap((path) => [path, real(path)]))].filter((path) => existsSync(path)),
    pythonFolder: executable === undefined || isSystem(executable) ? null : dirname(executable),
    userBase: python.some((path) => userBase !== null && isWithin(path, userBase)) ? userBase : null,
  };
}

/** `path` is `folder`, or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function programMount(path: string): Mount[] {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return [];
  return facts.isSymbolicLink()
    ? [{ kind: "link", target: readlinkSync(path), to: path }]
    : [{ kind: "readable", from: path, to: path }];
}

function settingMount(name: string): Mount {
  const path = `/etc/${name}`;
  return { kind: "readable", from: path, to: path };
}

function deviceMounts(): Mount[] {
  const names = existsSync("/dev") ? readdirSync("/dev").filter((name) => cards.test(name)) : [];
  return [
    ...systemFacts.map((path): Mount => ({ kind: "readable", from: path, to: path })),
    ...names.map((name): Mount => ({ kind: "device", from: `/dev/${name}`, to: `/dev/${name}` })),
  ];
}

/** Folders with programs of this user's. */
function pathFolders(environment: Environment): string[] {
  const names = ["PATH", "LD_LIBRARY_PATH"].flatMap((name) => (environment[name] ?? "").split(delimiter));
  return [...names, environment["VIRTUAL_ENV"] ?? "", environment["CONDA_PREFIX"] ?? ""].filter(
    (folder) => folder !== "",
  );
}

function isPython(path: string): boolean {
  return /[/\\]python[\d.t]*$/.test(path);
}

/** The installation whose modules these are. */
function libraryOf(path: string): string | undefined {
  return /^(.*)[/\\]lib(?:64)?[/\\]python3[\d.t]*$/.exec(path)?.[1];
}

/** The environment that an interpreter given by its whole path lies in, and the installation behind that. */
export function environmentFolders(interpreter: string): string[] {
  const prefix = dirname(dirname(interpreter));
  if (!isAbsolute(interpreter) || !existsSync(join(prefix, "pyvenv.cfg"))) return [];
  const behind = dirname(dirname(real(interpreter)));
  return [prefix, ...(wideFolders.includes(behind) || behind === prefix ? [] : [behind])];
}

/** Of one path that a Python names: the installation around it, where it lies in one. */
function pythonFolders(path: string): string[] {
  const library = libraryOf(path);
  if (library !== undefined) return [library];
  if (!isPython(path)) return path.endsWith(".zip") ? [] : [path];
  return [path, real(path)].flatMap((file) => {
    const prefix = dirname(dirname(file));
    const isWhole = ["pyvenv.cfg", "conda-meta"].some((name) => existsSync(join(prefix, name)));
    return isWhole ? [prefix] : [dirname(file)];
  });
}
