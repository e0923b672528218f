/**
 * The terminal interface without a terminal: keys in, frames out. Holds the screens' state and the feed,
 * does what a key asks for, and gives a new frame only when something visible has changed.
 */
import type { MeshClient } from "../protocol/client.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { CheckVersion } from "../client/model/check-version.ts";
import { confirmOf, makeChange } from "./make-change.ts";
import { drawFrame, sameFrame, type Frame, type Size } from "./screen-frame.ts";
import { openFeed, type Feed } from "./feed.ts";
import { LaunchErrand } from "./launch-errand.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import type { Launcher } from "../client/sweep/launcher.ts";
import type { Confirm, MoveQuestion } from "./model/confirm.ts";
import type { Effect } from "./model/ui-effect.ts";
import { wanted } from "./model/list.ts";
import { ask, say } from "./model/move.ts";
import { step } from "./model/ui-step.ts";
import { startUi, type StartWith, type Ui } from "./model/ui.ts";
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
  return new ScreenStore(options);
}

class ScreenStore implements Store {
  readonly #options: StoreOptions;
  readonly #feed: Feed;
  readonly #launch: LaunchErrand;
  readonly #listeners = new Set<() => void>();
  #ui: Ui;
  #size = sizeAtFirst;
  #frame: Frame;
  #stopped = false;
  #cancelValidate = () => {};
  #cancelRedraw: (() => void) | null = null;

  constructor(options: StoreOptions) {
    const { client, clock, launcher } = options;
    this.#options = options;
    this.#ui = startUi(options.readOnly, options.startWith);
    this.#feed = openFeed(
      client,
      clock,
      (data) => wanted(this.#ui, data),
      () => this.#redrawSoon(),
    );
    this.#launch = new LaunchErrand({
      launcher,
      ui: () => this.#ui,
      put: (next) => this.#put(next),
      press: (key) => this.press(key),
    });
    this.#frame = this.#draw();
  }

  // Handed on without their store, as React's useSyncExternalStore takes them.
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly frame = (): Frame => this.#frame;

  press(key: string): void {
    if (this.#stopped) return;
    const page = Math.max(1, this.#size.rows - linesAroundList);
    const next = step(this.#ui, key, { data: this.#feed.data(), page });
    this.#put(next.ui);
    for (const effect of next.effects) this.#perform(effect);
  }

  resize(next: Size): void {
    this.#size = next;
    this.#redraw();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelValidate();
    this.#cancelRedraw?.();
    this.#feed.stop();
    this.#listeners.clear();
  }

  #draw(): Frame {
    const { client, glyphs } = this.#options;
    return drawFrame({
      ui: this.#ui,
      data: this.#feed.data(),
      size: this.#size,
      glyphs,
      mesh: client.mesh,
      who: client.who,
    });
  }

  #redraw(): void {
    const next = this.#draw();
    if (sameFrame(this.#frame, next)) return;
    this.#frame = next;
    for (const listener of this.#listeners) listener();
  }

  /** Several answers that come together make one frame. */
  #redrawSoon(): void {
    this.#cancelRedraw ??= this.#options.clock.setTimer(redrawAfterMs, () => {
      this.#cancelRedraw = null;
      this.#redraw();
    });
  }

  #put(next: Ui): void {
    if (this.#stopped) return;
    this.#ui = next;
    this.#feed.refresh();
    this.#redraw();
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "quit":
        this.#options.quit();
        return;
      case "copy":
        this.#options.copy(effect.text);
        return;
      case "send":
        void this.#send(effect.confirm);
        return;
      case "ask-moves":
        void this.#askMoves(effect.question);
        return;
      case "load-templates":
        void this.#launch.loadTemplates();
        return;
      case "submit":
        void this.#launch.submit(effect);
        return;
      case "validate":
        this.#cancelValidate();
        this.#cancelValidate = this.#options.clock.setTimer(
          validateAfterMs,
          () => void this.#launch.validate(effect),
        );
        return;
    }
  }

  #say(text: string, tone: "plain" | "good" | "bad"): void {
    this.#put(say(this.#ui, text, tone));
  }

  async #send(confirm: Confirm): Promise<void> {
    const { checkVersion, client, glyphs } = this.#options;
    this.#say(`${confirm.title} ${glyphs.ellipsis}`, "plain");
    try {
      const outcome = await makeChange(client, checkVersion, confirm.does);
      if (outcome.ok) this.#put({ ...say(this.#ui, withUndo(confirm), "good"), undo: confirm.undo });
      else this.#say(outcome.refusal.message, "bad");
      this.#feed.askAgain();
    } catch (error) {
      this.#say(errorSentence(error), "bad");
    }
  }

  /** Nothing is asked where the person has gone elsewhere meanwhile. */
  async #askMoves(question: MoveQuestion): Promise<void> {
    const { screen } = this.#ui;
    try {
      const confirm = await confirmOf(this.#options.client, question);
      if (this.#ui.overlay !== null || this.#ui.screen !== screen) return;
      this.#put(confirm.ok ? ask(this.#ui, confirm.value) : say(this.#ui, confirm.refusal.message, "bad"));
    } catch (error) {
      this.#say(errorSentence(error), "bad");
    }
  }
}

function withUndo(confirm: Confirm): string {
  return confirm.undo === null ? confirm.done : `${confirm.done}; u takes it back`;
}
