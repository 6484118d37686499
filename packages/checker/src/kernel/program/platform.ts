/** In place of kernel/platform.ts: a machine without a console or a switch. */
export function printLine(): void {}

export function printLines(): void {}

export function powerOff(): void {}

export function collectGarbage(): void {}

export function heapBytes(): number {
  return 0;
}
