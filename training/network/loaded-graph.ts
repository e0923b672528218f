/**
 * TensorFlow graphs that are loaded in this process: loading one takes tens of milliseconds, so those of trainers that are
 * gone are kept for the next that is built alike. Their variables are written anew by whoever takes them.
 */
export interface GraphLoader {
  /** Gives the id of the loaded graph. */
  load(): number;
  unload(id: number): void;
}

/** Trials of one sweep differ in few sizes. */
const idleMax = 4;

/** Idle graphs by their key, the longest idle first. */
const idle = new Map<string, number>();

export interface LoadedGraph {
  readonly id: number;
  /** To be called once; it is idle from then on. */
  release(): void;
}

/** Graphs of one key are alike to the byte. */
export function takeGraph(key: string, loader: GraphLoader): LoadedGraph {
  const known = idle.get(key);
  idle.delete(key);
  const id = known ?? loader.load();
  return {
    id,
    release: () => {
      const twin = idle.get(key);
      if (twin !== undefined) return loader.unload(id);
      idle.set(key, id);
      for (const [oldest, idleId] of idle) {
        if (idle.size <= idleMax) break;
        idle.delete(oldest);
        loader.unload(idleId);
      }
    },
  };
}
