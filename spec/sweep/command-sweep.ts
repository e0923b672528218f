/**
 * A sweep whose trials are runs of a command: what our own command files, W&B sweep files and Katib Experiments all
 * become. Where the commands run is not said here.
 */
import type { Constraint } from "../../protocol/constraint.ts";
import type { Space } from "../../protocol/space.ts";
import type { Spelling } from "../../protocol/spelling.ts";
import type { Stopping } from "../../protocol/stopping.ts";
import type { Objective, SweepSpec } from "../../protocol/sweep.ts";
import type { ReportedObjective } from "../../protocol/program.ts";
import type { WantedDataset } from "./read-dataset.ts";

export interface CommandObjective extends Objective {
  /** Which of the values a trial reports counts as its result. */
  readonly keep: ReportedObjective["keep"];
}

/** What is said of it for a mesh alone. */
export interface MeshTerms extends Pick<
  SweepSpec,
  | "experiment"
  | "keep"
  | "needs"
  | "prefers"
  | "weight"
  | "priority"
  | "cap"
  | "beyondBudget"
  | "trialSeed"
  | "register"
  | "reuse"
> {
  /** The folder of the program's own in which it leaves its model; null where it declares none. */
  readonly output: string | null;
  /** Names of the requester's secrets that become variables of the program. */
  readonly secrets: readonly string[];
  /** Words of the command that answers with what lies there, once it is registered; null where there is none. */
  readonly serve: readonly string[] | null;
  /** Files and folders that travel, from the program's folder; null: the whole folder. */
  readonly files: readonly string[] | null;
}

export interface CommandSweep {
  readonly name: string;
  /** A file that exports `train`, from the sweep file's folder, in place of a command; null where there is a command. */
  readonly module: string | null;
  /** What a module trains on. */
  readonly dataset: WantedDataset | null;
  readonly onMesh: MeshTerms;
  /** Words with macros in them; `agent/program/expand-command.ts` says which. */
  readonly command: readonly string[];
  readonly program: string | null;
  /** From where the program takes its parameters; `environment`: from the file that a variable names, whatever the words say. */
  readonly reads: "words" | "environment";
  readonly environment: Readonly<Record<string, string>>;
  /** The first ranks. None: trials are run and not compared, which only methods that do not learn can do. */
  readonly objectives: readonly CommandObjective[];
  readonly search: SweepSpec["search"];
  /** Resources are reports of the first objective. */
  readonly stopping: Stopping;
  readonly space: Space;
  readonly where: readonly Constraint[];
  /** Prefixes of parameters that are passed as one argument. */
  readonly nested: readonly string[];
  /** Where a parameter lies in those, if its name's prefixes would say something else. */
  readonly paths: Readonly<Record<string, readonly string[]>>;
  /** What values of the space stand for: W&B allows lists, mappings and null, and whole numbers may have many digits. */
  readonly spelling: Spelling;
  /** Regular expressions with a name and a value group; none means the usual name=value. */
  readonly metricFormat: readonly string[];
  readonly parallel: number;
  /** The sweep ends once more trials than this have failed; null: never for that. */
  readonly failuresMax: number | null;
}

/** Methods that need no result to go on. */
export const blindMethods: readonly SweepSpec["search"]["method"][] = ["grid", "random", "sobol"];

/** A command has a length of its own: it is not ended early, and says how it went as often as it likes. */
export const ownLength: Stopping = { policy: "none", max: 1 };

/** Results of programs are not taken for others': what a program reads beside its files nobody here can see. */
export const usualTerms: MeshTerms = {
  experiment: null,
  needs: {},
  prefers: { first: "fastest", nearData: true, labels: {} },
  weight: 1,
  priority: 0,
  cap: null,
  beyondBudget: false,
  trialSeed: 1,
  reuse: false,
  register: null,
  output: null,
  secrets: [],
  serve: null,
  files: null,
};

export function isOwnLength(stopping: Stopping): boolean {
  return JSON.stringify(stopping) === JSON.stringify(ownLength);
}
