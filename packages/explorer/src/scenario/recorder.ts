/**
 * Part of a program under test whose operations have a specification: tells when they begin and end.
 *
 * What a history says of two operations is whether one ended before the other began; a load at each begin and an
 * addition at each end, of one word, make these two dependent on each other, so that the explorer tries both orders.
 */
import type { Operations } from "./define.js";

/** What the world gives to the program. */
export interface RecorderHost {
  began(core: number, name: string, argument: unknown): number;
  ended(operation: number, result: unknown): void;
}

declare const $host: RecorderHost;

/** Its name is one that no program has. */
export class $Recorder implements Operations {
  constructor(
    private readonly i32: Int32Array,
    private readonly word: number,
    private readonly core: number,
  ) {}

  begin(name: string, argument?: unknown): number {
    Atomics.load(this.i32, this.word);
    return $host.began(this.core, name, argument);
  }

  end(operation: number, result?: unknown): void {
    Atomics.add(this.i32, this.word, 1);
    $host.ended(operation, result);
  }
}
