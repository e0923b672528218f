/** The terminal interface on a virtual clock, driven by key names and read as text. */
import type { FakeMesh } from "./fake-client.ts";
import { openFakeMesh } from "./fake-client.ts";
import { VirtualClock } from "./virtual-clock.ts";
import type { CheckVersion } from "../../client/model/check-version.ts";
import { openStore, type Store } from "../../tui/ui-store.ts";
import type { StartWith } from "../../tui/model/ui.ts";
import type { Size } from "../../tui/screen-frame.ts";
import { unicodeGlyphs, type Glyphs } from "../../text/glyph.ts";
import { lineText } from "./line-text.ts";

export interface DrivenScreen {
  readonly mesh: FakeMesh;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly copied: readonly string[];
  readonly left: () => boolean;
  /** Keys by name, one after another, and the time their answers take. */
  press(...keys: readonly string[]): Promise<void>;
  type(text: string): Promise<void>;
  text(): string;
}

const answersMs = 300;
const movesPerKey = 10;

export async function driveScreen(
  options: {
    checkVersion?: CheckVersion;
    size?: Size;
    glyphs?: Glyphs;
    readOnly?: boolean;
    startWith?: StartWith;
    mesh?: FakeMesh;
  } = {},
): Promise<DrivenScreen> {
  const mesh = options.mesh ?? openFakeMesh();
  const clock = new VirtualClock();
  const copied: string[] = [];
  let left = false;
  const store = openStore({
    client: mesh.client,
    clock,
    launcher: mesh.launcher,
    readOnly: options.readOnly ?? false,
    glyphs: options.glyphs ?? unicodeGlyphs,
    startWith: options.startWith,
    checkVersion: options.checkVersion,
    copy: (text) => copied.push(text),
    quit: () => (left = true),
  });
  store.resize(options.size ?? { columns: 120, rows: 40 });
  await clock.advance(1_200);
  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      store.press(key);
      // In small moves: an answer may lead to the next question.
      for (let move = 0; move < movesPerKey; move++) await clock.advance(answersMs / movesPerKey);
    }
  };
  return {
    mesh,
    clock,
    store,
    copied,
    left: () => left,
    press,
    type: (text) => press(...text),
    text: () => store.frame().lines.map(lineText).join("\n"),
  };
}
