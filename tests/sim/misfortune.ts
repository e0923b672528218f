// What goes wrong in a storm, each kind a line: who is struck and for how long is drawn as it happens. What must hold
// meanwhile is the world's to watch, and the audit's to find out afterwards.
import { streamsOf } from "../../protocol/subjects.ts";
import type { AgentPlan } from "./agent-process.ts";
import { mesh, type World } from "./world.ts";

interface Struck {
  readonly world: World;
  /** For so long, ms. */
  readonly length: number;
  readonly agent: AgentPlan;
  /** One of the coordinators, mostly the one that leads. */
  readonly candidate: string;
}

const serverAwayMaxMs = 15_000;
/** A whole night is too long for a storm; this is longer than any lease. */
const sleepMinMs = 10_000;
const lieMaxMs = 15_000;
const stepsToDeathMax = 40;
const fullMaxMs = 20_000;
const hourMs = 3_600_000;
/** A clock that was wrong by an hour, a daylight saving, a dead battery; and the seconds of a time server. */
const stepsOfClockMs = [-3 * hourMs, -hourMs, -30_000, 30_000, hourMs, 3 * hourMs, 24 * 365 * hourMs];
const setAsideShare = 0.5;

export const misfortunes: Readonly<Record<string, (struck: Struck) => void>> = {
  "a coordinator is killed": ({ candidate, length, world }) => {
    world.killCandidate(candidate);
    world.clock.setTimer(length, () => world.startCandidate(candidate));
  },
  "a coordinator dies at a step": ({ candidate, length, world }) => {
    world.dieAtStep(candidate, world.between(1, stepsToDeathMax), () => {
      world.killCandidate(candidate);
      world.clock.setTimer(length, () => world.startCandidate(candidate));
    });
  },
  "a coordinator dies as it removes": ({ candidate, length, world }) => {
    world.dieAtRemoval(candidate, () => {
      world.killCandidate(candidate);
      world.clock.setTimer(length, () => world.startCandidate(candidate));
    });
  },
  "a coordinator stands still": ({ candidate, length, world }) => world.freeze(candidate, length, "pause"),
  "a coordinator's machine sleeps": ({ candidate, length, world }) =>
    world.freeze(candidate, sleepMinMs + length, "sleep"),
  "a coordinator is cut off": ({ candidate, length, world }) => world.cutOff(candidate, length),
  "a coordinator's clock is set": ({ candidate, world }) =>
    world.stepClock(candidate, world.pick(stepsOfClockMs) ?? 0),
  "an agent is killed": ({ agent, length, world }) => {
    world.killAgent(agent.name);
    world.clock.setTimer(length, () => world.startAgent(agent));
  },
  "an agent dies at a step": ({ agent, length, world }) => {
    world.dieAtStep(agent.name, world.between(1, stepsToDeathMax), () => {
      world.killAgent(agent.name);
      world.clock.setTimer(length, () => world.startAgent(agent));
    });
  },
  "an agent stands still": ({ agent, length, world }) => world.freeze(agent.name, length, "pause"),
  "an agent's machine sleeps": ({ agent, length, world }) =>
    world.freeze(agent.name, sleepMinMs + length, "sleep"),
  "an agent is cut off": ({ agent, length, world }) => world.cutOff(agent.name, length),
  "an agent's clock is set": ({ agent, world }) =>
    world.stepClock(agent.name, world.pick(stepsOfClockMs) ?? 0),
  "an agent makes its figures up": ({ agent, length, world }) => world.lie(agent, Math.min(length, lieMaxMs)),
  "the server is killed": ({ length, world }) =>
    world.stopServer(Math.min(length, serverAwayMaxMs), "killed"),
  "the server loses power": ({ length, world }) =>
    world.stopServer(Math.min(length, serverAwayMaxMs), "without power"),
  "the server loses what it had stored": ({ length, world }) =>
    world.loseJournal(Math.min(length, serverAwayMaxMs)),
  "the server is full for a while": ({ length, world }) => {
    const before = world.hub.faults;
    world.note("the server is full");
    world.hub.faults = { ...before, full: world.chance(0.5) ? 1 : 0.5 };
    world.clock.setTimer(Math.min(length, fullMaxMs), () => {
      world.hub.faults = { ...world.hub.faults, full: 0 };
    });
  },
  "reports are set aside": ({ world }) => {
    const count = world.hub.setAside(streamsOf(mesh).inbox, setAsideShare);
    world.note(`${count} reports are set aside`);
  },
};

const kinds = Object.values(misfortunes);

export function strike(world: World, plans: readonly AgentPlan[], length: number): void {
  const agent = world.pick(plans);
  const candidate = (world.chance(0.8) ? world.leader() : null) ?? world.pick(["one", "two"]);
  const kind = world.pick(kinds);
  if (agent !== undefined && candidate !== undefined) kind?.({ world, length, agent, candidate });
}
