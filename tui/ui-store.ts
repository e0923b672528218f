/**
 * The terminal interface without a terminal: keys in, frames out. Holds the screens' state and the feed,
 * does what a key asks for, and gives a new frame only when something visible has changed.
 */
import type { MeshClient } from "../protocol/client.ts";
import type { Clock } from "../protocol/time/clock.ts";
import { refuse } from "../protocol/refusal.ts";
import type { CheckVersion } from "../client/model/check-version.ts";
import { confirmOf, makeChange } from "./make-change.ts";
import { drawFrame, sameFrame, type Frame, type Size } from "./screen-frame.ts";
import { openFeed } from "./feed.ts";
import type { Launcher } from "../client/sweep/launcher.ts";
import type { Confirm, MoveQuestion } from "./model/confirm.ts";
import type { Effect } from "./model/ui-effect.ts";
import { checked, estimated, readiness, withTemplates, type Form } from "./model/form.ts";
import { wanted } from "./model/list.ts";
import { ask, go, say } from "./model/move.ts";
import { step } from "./model/ui-step.ts";
import { startUi, withSelection, type StartWith, type Ui } from "./model/ui.ts";
import type { Glyphs } from "../text/glyph.ts";

export interface StoreOptions {
  readonly client: MeshClient;
  readonly clock: Clock;
  readonly launcher: Launcher;
  readonly readOnly: boolean;
  readonly glyphs: Glyphs;
  readonly startWith?: StartWith | undefined;
  readonly checkVersion?: CheckVersion | undefined;
  /** Puts a text on the clipboard, where the terminal can. */
  readonly copy: (text: string) => void;
  readonly quit: () => void;
}

export interface Store {
  readonly subscribe: (listener: () => void) => () => void;
  readonly frame: () => Frame;
  press(key: string): void;
  resize(size: Size): void;
  stop(): void;
}

const sizeAtFirst: Size = { columns: 80, rows: 24 };
/** A frame of new data waits this long for more of it; a key's own frame waits for nothing. */
const redrawAfterMs = 40;
/** Validation waits this long for more typing. */
const validateAfterMs = 120;
/** Lines of a screen that are not rows of its list. */
const linesAroundList = 6;

export function openStore(options: StoreOptions): Store {
  const { client, clock, glyphs, launcher } = options;
  let ui = startUi(options.readOnly, options.startWith);
  let size = sizeAtFirst;
  let stopped = false;
  let cancelValidate = () => {};
  let cancelRedraw: (() => void) | null = null;
  const listeners = new Set<() => void>();
  const feed = openFeed(client, clock, (data) => wanted(ui, data), redrawSoon);
  let frame = draw();

  function draw(): Frame {
    return drawFrame({ ui, data: feed.data(), size, glyphs, mesh: client.mesh, who: client.who });
  }

  function redraw(): void {
    const next = draw();
    if (sameFrame(frame, next)) return;
    frame = next;
    for (const listener of listeners) listener();
  }

  /** Several answers that come together make one frame. */
  function redrawSoon(): void {
    cancelRedraw ??= clock.setTimer(redrawAfterMs, () => {
      cancelRedraw = null;
      redraw();
    });
  }

  function put(next: Ui): void {
    if (stopped) return;
    ui = next;
    feed.refresh();
    redraw();
  }

  function putForm(change: (form: Form) => Form): void {
    const overlay = ui.overlay;
    if (overlay?.kind !== "launch") return;
    put({ ...ui, overlay: { kind: "launch", form: change(overlay.form) } });
  }

  function perform(effect: Effect): void {
    switch (effect.kind) {
      case "quit":
        options.quit();
        return;
      case "copy":
        options.copy(effect.text);
        return;
      case "send":
        void send(effect.confirm);
        return;
      case "ask-moves":
        void askMoves(effect.question);
        return;
      case "load-templates":
        void loadTemplates();
        return;
      case "submit":
        void submit(effect);
        return;
      case "validate":
        cancelValidate();
        cancelValidate = clock.setTimer(validateAfterMs, () => void validate(effect));
        return;
    }
  }

  async function send(confirm: Confirm): Promise<void> {
    put(say(ui, `${confirm.title} ${glyphs.ellipsis}`, "plain"));
    try {
      const outcome = await makeChange(client, options.checkVersion, confirm.does);
      if (outcome.ok) put({ ...say(ui, withUndo(confirm), "good"), undo: confirm.undo });
      else put(say(ui, outcome.refusal.message, "bad"));
      feed.askAgain();
    } catch (error) {
      put(say(ui, messageOf(error), "bad"));
    }
  }

  /** Nothing is asked where the person has gone elsewhere meanwhile. */
  async function askMoves(question: MoveQuestion): Promise<void> {
    const { screen } = ui;
    try {
      const confirm = await confirmOf(client, question);
      if (ui.overlay !== null || ui.screen !== screen) return;
      put(confirm.ok ? ask(ui, confirm.value) : say(ui, confirm.refusal.message, "bad"));
    } catch (error) {
      put(say(ui, messageOf(error), "bad"));
    }
  }

  async function loadTemplates(): Promise<void> {
    try {
      const templates = await launcher.templates();
      putForm((form) => withTemplates(form, templates));
      const overlay = ui.overlay;
      if (overlay?.kind === "launch") await validate({ draft: overlay.form.draft, edit: overlay.form.edit });
    } catch (error) {
      putForm((form) => ({ ...form, templates: [], refusal: messageOf(error) }));
    }
  }

  async function validate(of: Pick<Extract<Effect, { kind: "validate" }>, "draft" | "edit">): Promise<void> {
    if (of.draft.file === "") return;
    try {
      const check = await launcher.validate(of.draft);
      putForm((form) => checked(form, of.edit, check));
      if (check.problems.length === 0) void estimate(of);
    } catch (error) {
      const problem = { field: "file", message: messageOf(error) };
      putForm((form) => checked(form, of.edit, { problems: [problem], trials: null, agentsThatFit: null }));
    }
    const overlay = ui.overlay;
    if (
      overlay?.kind === "launch" &&
      overlay.form.submitWhenChecked &&
      readiness(overlay.form).kind !== "checking"
    ) {
      press("enter");
    }
  }

  async function estimate(of: Pick<Extract<Effect, { kind: "validate" }>, "draft" | "edit">): Promise<void> {
    try {
      const outcome = await launcher.estimate(of.draft);
      putForm((form) => estimated(form, of.edit, outcome));
    } catch (error) {
      putForm((form) => estimated(form, of.edit, refuse("unavailable", messageOf(error))));
    }
  }

  async function submit(of: Extract<Effect, { kind: "submit" }>): Promise<void> {
    try {
      const outcome = await launcher.submit(of.draft);
      if (!outcome.ok) {
        putForm((form) => ({ ...form, submitting: false, refusal: outcome.refusal.message }));
        return;
      }
      const { sweep } = outcome.value;
      const closed: Ui = ui.overlay?.kind === "launch" ? { ...ui, overlay: null } : ui;
      const shown = withSelection(go(closed, "sweeps"), "sweeps", { key: sweep, index: 0 });
      const fresh = withSelection(shown, "trials", { key: null, index: 0 });
      put(say({ ...fresh, filters: { ...fresh.filters, sweeps: "" } }, `${sweep} is submitted`, "good"));
    } catch (error) {
      putForm((form) => ({ ...form, submitting: false, refusal: messageOf(error) }));
    }
  }

  function press(key: string): void {
    if (stopped) return;
    const page = Math.max(1, size.rows - linesAroundList);
    const next = step(ui, key, { data: feed.data(), page });
    put(next.ui);
    next.effects.forEach(perform);
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    frame: () => frame,
    press,
    resize(next) {
      size = next;
      redraw();
    },
    stop() {
      stopped = true;
      cancelValidate();
      cancelRedraw?.();
      feed.stop();
      listeners.clear();
    },
  };
}

function withUndo(confirm: Confirm): string {
  return confirm.undo === null ? confirm.done : `${confirm.done}; u takes it back`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
