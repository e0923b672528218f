/** Static shapes of a network's graph: lengths of axes, outermost first. */
export type Shape = readonly number[];

/** A misuse of the graph is a mistake in a program, not in what a person typed: it ends the process. */
export function expect(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(`network graph: ${sentence}`);
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** For sentences: "[64, 40]". */
export function shown(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function same(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The shape two shapes broadcast to, axes counted from the last, as in NumPy. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const left = a[index - rank + a.length] ?? 1;
    const right = b[index - rank + b.length] ?? 1;
    expect(left === right || left === 1 || right === 1, `${shown(a)} and ${shown(b)} do not broadcast`);
    return left === 1 ? right : left;
  });
}
