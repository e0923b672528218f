/**
 * Runs a command sweep on this machine, without a mesh: the same samplers propose and the same policies judge. Nothing
 * is kept: no journal, no budget, no reuse of results. A trial that fails never ends the sweep by itself.
 */
import { tmpdir } from "node:os";
import { keyOf } from "../../search/space/active.ts";
import type { SearchProblem, SearchSampler } from "../../search/sampler/ask.ts";
import { stopText } from "../../search/stopping/stop-reason.ts";
import type { Params } from "../../protocol/value.ts";
import type { CommandSweep } from "../../spec/sweep/command-sweep.ts";
import { expandCommand, expandEnvironment, type ExpandContext } from "../../agent/program/expand-command.ts";
import { activation } from "../../agent/program/interpreter.ts";
import { LocalTrial, type LocalState } from "./local-trial.ts";
import { openMetricReader, type MetricReader } from "../../agent/program/metric-reader.ts";
import { RungBoard } from "./rung-board.ts";
import type { CommandEnd } from "../../agent/program/command-end.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { lackIn } from "../../agent/program/machine-lack.ts";
import { runCommand, type RunningCommand } from "../../agent/program/run-command.ts";
import { openWandbEar, type WandbEar } from "../../agent/program/wandb-ear.ts";
import { makeWandbPlace, wandbRowsOf } from "../../agent/program/wandb-place.ts";
import type { WandbFact } from "../../agent/program/wandb-runs.ts";

export interface LocalOptions {
  readonly sweep: CommandSweep;
  readonly sampler: SearchSampler;
  /** Where the commands run. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interpreter: string;
  readonly timeoutMs: number | null;
  /** A file for one trial's parameters; its path. */
  readonly writeFile: ExpandContext["writeFile"];
  /** A folder of its own for a trial of this number, which need not be there. */
  readonly scratchOf: (trial: number) => string;
  readonly onEnded: (trial: LocalTrial, result: LocalResult) => void;
  readonly interrupted: AbortSignal;
}

export interface LocalResult {
  readonly trials: readonly LocalTrial[];
  /** The best by the first objective; null while there is none. */
  readonly best: LocalTrial | null;
  readonly end: "all-trials" | "space-used-up" | "target" | "failures" | "interrupted";
  /** How the sampler found what it proposed, in its own words. */
  readonly note: string | null;
}

/** Processes that wait for a promotion keep their memory, so there is a limit to them. */
const suspendedMax = 32;

export async function runLocal(options: LocalOptions): Promise<LocalResult> {
  const run = new LocalRun(options);
  return run.toEnd();
}

interface LocalStart {
  readonly words: readonly string[];
  readonly environment: LocalOptions["environment"];
}

interface Live {
  readonly trial: LocalTrial;
  readonly command: RunningCommand;
}

/** What tells of a trial's metrics. */
interface Listening {
  readonly reader: MetricReader;
  readonly ear: WandbEar;
}

class LocalRun {
  private readonly options: LocalOptions;
  private readonly problem: SearchProblem;
  private readonly trials: LocalTrial[] = [];
  private readonly known = new Set<string>();
  private readonly live = new Map<number, Live>();
  private readonly board: RungBoard;
  private position = 0;
  private usedUp = false;
  private end: LocalResult["end"] | null = null;
  private note: string | null = null;
  /** The trial that is run to its end whatever the policy says. */
  private last: LocalTrial | null = null;
  private wake: () => void = () => {};

  constructor(options: LocalOptions) {
    this.options = options;
    const { search, space, where, objectives } = options.sweep;
    this.board = new RungBoard(options.sweep);
    this.problem = {
      space,
      where,
      seed: search.seed,
      trials: search.trials,
      objectives: Math.max(1, objectives.length),
    };
  }

  async toEnd(): Promise<LocalResult> {
    const { interrupted } = this.options;
    const interrupt = () => this.finish("interrupted");
    interrupted.addEventListener("abort", interrupt);
    if (interrupted.aborted) interrupt();
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (this.wake = resolve));
        this.fill();
        if (this.live.size === 0) break;
        if (this.end === null && this.running().length === 0 && !this.finishBest())
          this.finish(this.naturalEnd());
        await woken;
      }
    } finally {
      interrupted.removeEventListener("abort", interrupt);
      for (const { command } of this.live.values()) command.end();
    }
    return this.result();
  }

  private result(): LocalResult {
    return {
      trials: this.trials,
      best: this.bestOf(["completed", "stopped"]),
      end: this.end ?? this.naturalEnd(),
      note: this.note,
    };
  }

  private naturalEnd(): LocalResult["end"] {
    return this.usedUp && this.trials.length < this.problem.trials ? "space-used-up" : "all-trials";
  }

  /** Nothing more starts, and whatever still runs or waits is ended. */
  private finish(end: LocalResult["end"]): void {
    this.end ??= end;
    for (const { command } of this.live.values()) command.end();
  }

  private running(): Live[] {
    return [...this.live.values()].filter(({ trial }) => trial.state === "running");
  }

  /** Promotions first, then new trials, until every place is taken. */
  private fill(): void {
    while (this.end === null && this.running().length < this.options.sweep.parallel) {
      if (!this.promote() && !this.start()) return;
    }
  }

  /** Nothing is left but what waits: where the best of all is among that, it is run to its end. */
  private finishBest(): boolean {
    const best = this.bestOf(["completed", "stopped", "suspended"]);
    const found = best?.state === "suspended" ? this.live.get(best.number) : undefined;
    if (found === undefined) return false;
    this.last = found.trial;
    found.trial.state = "running";
    found.command.resume();
    return true;
  }

  private promote(): boolean {
    const number = this.board.promote((waiting) => this.live.get(waiting)?.trial.state === "suspended");
    const found = number === null ? undefined : this.live.get(number);
    if (found === undefined) return false;
    found.trial.state = "running";
    found.command.resume();
    return true;
  }

  private start(): boolean {
    if (this.usedUp || this.trials.length >= this.problem.trials) return false;
    const answer = this.options.sampler.ask({
      problem: this.problem,
      position: this.position,
      count: 1,
      history: () => this.trials.map((trial) => trial.told()),
      isKnown: (params) => this.known.has(keyOf(params)),
    });
    this.position = answer.position;
    if (answer.note !== null) this.note = answer.note;
    const [suggestion] = answer.suggestions;
    if (suggestion === undefined) {
      this.usedUp = true;
      return false;
    }
    this.known.add(keyOf(suggestion.params));
    this.launch(suggestion.params);
    return true;
  }

  private launch(params: Params): void {
    const { folder, sweep, timeoutMs } = this.options;
    const trial = new LocalTrial(this.trials.length + 1, params, sweep.objectives);
    this.trials.push(trial);
    const start = this.startOf(trial);
    if (!start.ok) {
      trial.state = "failed";
      trial.reason = start.refusal.message;
      this.afterEnd(trial);
      return;
    }
    const heard = this.listenTo(trial);
    const command = runCommand({
      ...start.value,
      folder,
      timeoutMs,
      onLine: () => undefined,
      onText: (text, cut) => heard.reader.read(text, cut),
      ready: () => heard.reader.ready(),
    });
    this.live.set(trial.number, { trial, command });
    void this.follow(trial, command, heard);
  }

  private listenTo(trial: LocalTrial): Listening {
    const { scratchOf, sweep } = this.options;
    const ear = openWandbEar({
      rows: wandbRowsOf(scratchOf(trial.number)),
      trial: wandbNameOf(sweep, trial.number),
      objective: sweep.objectives[0]?.metric,
      onFact: (fact) => this.hearWandb(trial, fact),
      onPrint: (reports) => {
        for (const report of reports) if (trial.take(report, "output")) this.judge(trial);
      },
    });
    const reader = openMetricReader({
      patterns: sweep.metricFormat,
      names: sweep.objectives.map(({ metric }) => metric),
      onReports: (reports) => ear.print(reports),
      onUnread: (unread) => trial.missed.hear(unread),
      onFault: (reason) => {
        trial.unread = reason;
        this.live.get(trial.number)?.command.kill();
      },
    });
    return { reader, ear };
  }

  private hearWandb(trial: LocalTrial, fact: WandbFact): void {
    if (fact.kind === "unread") trial.missed.hear(fact.unread);
    if (fact.kind !== "step") return;
    for (const report of fact.amended) trial.amend(report, "wandb");
    for (const report of fact.reports) if (trial.take(report, "wandb")) this.judge(trial);
  }

  private startOf({ number, params }: LocalTrial): Outcome<LocalStart> {
    const { environment: own, interpreter, scratchOf, sweep, writeFile } = this.options;
    try {
      const given = {
        ...own,
        ...activation(interpreter, own),
        ...expandEnvironment(sweep, params, number),
        TRIALMESH_TRIAL: String(number),
        TRIALMESH_PARAMS: writeFile(JSON.stringify(params)),
        PYTHONUNBUFFERED: "1",
      };
      const wandb = {
        folder: scratchOf(number),
        sweep: sweep.name,
        trial: wandbNameOf(sweep, number),
        metrics: sweep.objectives.map(({ metric }) => metric),
        environment: given,
      };
      const environment = { ...given, ...makeWandbPlace(wandb, sweep, params) };
      const { platform } = process;
      const context = { trial: number, environment, interpreter, platform, writeFile };
      const words = expandCommand(sweep, params, context);
      return words.ok ? accept({ words: words.value, environment }) : words;
    } catch (error) {
      return refuse(
        "unavailable",
        `its parameters could not be written into a file: ${errorSentence(error)}`,
      );
    }
  }

  private async follow(trial: LocalTrial, command: RunningCommand, heard: Listening): Promise<void> {
    const { ear, reader } = heard;
    const end = await command.ended;
    await reader.settle();
    await ear.settle();
    reader.close();
    ear.close();
    this.live.delete(trial.number);
    trial.seconds = command.ranMs() / 1000;
    trial.endedWell = end.kind === "done";
    this.conclude(trial, end);
    this.afterEnd(trial);
    this.wake();
  }

  /** What its command's end makes of it. */
  private conclude(trial: LocalTrial, end: CommandEnd): void {
    if (trial.unread !== null) {
      trial.state = "failed";
      trial.reason = `its output could not be read: ${trial.unread}`;
    } else if (end.kind === "failed") {
      trial.state = "failed";
      trial.reason = this.reasonOf(trial, end);
    } else if (end.kind === "ended") {
      const overTaken = trial.reason === null && trial.state === "running";
      trial.state = overTaken ? "interrupted" : "stopped";
      trial.reason ??= overTaken
        ? this.end === "interrupted"
          ? "interrupted"
          : "the sweep was over"
        : "stopped early: others were better where it waited";
    } else if (this.options.sweep.objectives.length > 0 && trial.values() === null) {
      trial.state = "failed";
      trial.reason = trial.whyNoResult();
    } else trial.state = "completed";
  }

  /** What is missing here is said as that: elsewhere it may run. */
  private reasonOf({ params }: LocalTrial, end: Extract<CommandEnd, { kind: "failed" }>): string {
    const { own, reason } = end;
    const { folder } = this.options;
    const lacks =
      end.lacks ?? (own === undefined ? null : lackIn(own, { folder, ownFolders: [tmpdir()], params }));
    return lacks === null ? reason : `${reason}; this machine lacks ${lacks}`;
  }

  /** A report of the first objective has come: perhaps the policy has something to say. */
  private judge(trial: LocalTrial): void {
    const [objective] = this.options.sweep.objectives;
    if (objective === undefined || trial.state !== "running") return;
    if (this.meetsTarget(trial)) {
      trial.reason = "reached the target";
      return this.finish("target");
    }
    if (trial === this.last) return;
    const verdict = this.board.judge(trial, this.trials);
    switch (verdict?.kind) {
      case undefined:
      case "continue":
        return;
      case "stop":
        trial.reason = stopText(verdict.reason, trial.resource, objective.goal, (score) =>
          objective.goal === "maximize" ? score : -score,
        );
        this.live.get(trial.number)?.command.end();
        return;
      case "pause":
        this.suspend(trial);
    }
  }

  private suspend(trial: LocalTrial): void {
    const found = this.live.get(trial.number);
    if (found === undefined) return;
    trial.state = "suspended";
    found.command.suspend();
    const waiting = [...this.live.values()].filter((other) => other.trial.state === "suspended");
    if (process.platform === "win32" || waiting.length > suspendedMax)
      waiting.toSorted((a, b) => a.trial.resource - b.trial.resource)[0]?.command.end();
    this.wake();
  }

  private afterEnd(trial: LocalTrial): void {
    const failed = this.trials.filter(({ state }) => state === "failed").length;
    const { failuresMax } = this.options.sweep;
    if (failuresMax !== null && failed > failuresMax) this.finish("failures");
    if (trial.state === "completed" && this.meetsTarget(trial)) this.finish("target");
    this.options.onEnded(trial, this.result());
  }

  private meetsTarget(trial: LocalTrial): boolean {
    const { objectives, stopping } = this.options.sweep;
    const value = trial.values()?.[0];
    if (stopping.target === undefined || value === undefined) return false;
    return objectives[0]?.goal === "maximize" ? value >= stopping.target : value <= stopping.target;
  }

  private bestOf(states: readonly LocalState[]): LocalTrial | null {
    const maximize = this.options.sweep.objectives[0]?.goal === "maximize";
    let best: { readonly trial: LocalTrial; readonly value: number } | null = null;
    for (const trial of this.trials) {
      const value = trial.values()?.[0];
      if (value === undefined || !states.includes(trial.state)) continue;
      if (best === null || (maximize ? value > best.value : value < best.value)) best = { trial, value };
    }
    return best?.trial ?? null;
  }
}

/** What a trial's first run of wandb's is called, unless its script says otherwise. */
function wandbNameOf({ name }: CommandSweep, trial: number): string {
  return `${name}-${trial}`;
}
