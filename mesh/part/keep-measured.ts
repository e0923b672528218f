/**
 * While an agent runs, what the mesh knows of its machine stays true: what its Python has installed, and how fast it is where that
 * was measured while others used it (PROBE-16). It starts no agent, and says nothing to the mesh itself: `advertise` does.
 */
import type { Agent } from "../../agent/agent.ts";
import { measureAgain } from "../../agent/capability/measure-again.ts";
import { othersShareMeter } from "../../agent/capability/others-share.ts";
import { askPython } from "../../agent/program/ask-python.ts";
import { watchPython } from "../../agent/program/python-watch.ts";
import type { Capability, Policy } from "../../protocol/capability.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { Surroundings } from "../../system/environment.ts";
import { measureSpeedAgain, type MeasuredMachine } from "./measure-machine.ts";

export interface KeepMeasuredOptions extends Surroundings {
  readonly agent: Pick<Agent, "advertise" | "isFree">;
  readonly clock: Clock;
  readonly first: MeasuredMachine;
  /** The disk whose free space counts is the one this folder is on. */
  readonly folder: string;
  readonly interpreter: string;
  /** Whose programs run here: where nobody's do, nobody asks what is installed. */
  readonly programs: Policy["programs"];
  /** Stand-ins for tests. */
  readonly othersShare?: () => number | null;
  readonly measure?: typeof measureSpeedAgain;
}

/** What is installed is nobody's business where no programs run. */
export function withoutPackages(capability: Capability): Capability {
  const { environment: _, packages: __, ...others } = capability;
  return others;
}

/** What it gives ends it. */
export function keepMeasured(options: KeepMeasuredOptions): () => void {
  const { agent, clock, environment, first, interpreter, say } = options;
  let { capability, isFinal } = first;
  const tell = (now: Capability): void => {
    capability = now;
    agent.advertise(now);
  };
  const unwatchPython =
    options.programs === "none"
      ? () => undefined
      : watchPython({
          first: first.python,
          ask: () => askPython(interpreter, environment),
          clock,
          onChange: (facts) => {
            tell({ ...withoutPackages(capability), ...facts });
            say(`what is installed in ${interpreter} has changed; the mesh is told`);
          },
        });
  const measure = async (signal: AbortSignal): Promise<boolean> => {
    try {
      const again = options.measure ?? measureSpeedAgain;
      const found = await again({ environment, folder: options.folder, progress: say }, signal);
      if (found === null || signal.aborted) return false;
      ({ isFinal } = found);
      const now = { ...capability, backends: found.backends, rates: found.rates };
      if (JSON.stringify(now) !== JSON.stringify(capability)) {
        tell(now);
        say("this machine has been measured again; the mesh is told");
      }
    } catch (error) {
      say(`this machine could not be measured again: ${errorSentence(error)}`);
    }
    return true;
  };
  const endAgain = measureAgain({
    clock,
    isWanted: () => !isFinal,
    isFree: () => agent.isFree(),
    othersShare: options.othersShare ?? othersShareMeter(),
    measure,
  });
  return () => {
    unwatchPython();
    endAgain();
  };
}
