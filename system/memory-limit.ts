/** How often memory is looked at, and the sentence for a process that passes its limit. */

/** Between two looks at what a running job holds. */
export const memoryLookMs = 500;

export function overMemory(trial: string, held: number, limitMiB: number): string {
  return `trial ${trial} holds ${Math.round(held)} MiB of memory and may hold ${limitMiB} MiB`;
}
