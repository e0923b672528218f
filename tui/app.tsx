/** The store on a terminal: its frames printed by Ink, the keys and the size of the terminal given to it. */
import { useEffect, useLayoutEffect, useSyncExternalStore, type ReactNode } from "react";
import { render, useApp, useInput, useWindowSize } from "ink";
import { keyNames } from "./key-press.ts";
import { Printed } from "./part/printed.tsx";
import type { Store } from "./ui-store.ts";

const framesPerSecondMax = 15;

export interface AppProps {
  readonly store: Store;
  /** Gives the app the way out once it is there. */
  readonly onReady: (exit: () => void) => void;
}

export function App({ store, onReady }: AppProps): ReactNode {
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const frame = useSyncExternalStore(store.subscribe, store.frame);
  useLayoutEffect(() => store.resize({ columns, rows }), [store, columns, rows]);
  useEffect(() => onReady(exit), [onReady, exit]);
  useInput((input, key) => {
    for (const name of keyNames(input, key)) store.press(name);
  });
  return <Printed lines={frame.lines} />;
}

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
}

/** Resolves when the person has left, the terminal as it was before. */
export async function showApp(props: AppProps, terminal: Terminal): Promise<void> {
  const app = render(<App {...props} />, {
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    maxFps: framesPerSecondMax,
    exitOnCtrlC: true,
    patchConsole: true,
  });
  await app.waitUntilExit();
}
