/**
 * A trap of a thread, driven by hand: dispatched, and again whenever the thread is ready after a wait.
 */
import { Reg } from "@capos/abi";
import { makeRegisters } from "@capos/engine";
import { GeneratorContext } from "@capos/engine/generator";
import { type Core, dequeue, enter, type ThreadRef } from "@capos/kernel/internal";
import { Restart, Thread, ThreadState } from "@capos/kernel/layout";

/** What the context's result is until the trap has one. */
const NONE = 12345;

export class DrivenTrap {
  readonly context = new GeneratorContext(makeRegisters());
  turns = 0;

  constructor(
    readonly k: Core,
    readonly thread: ThreadRef,
    process: number,
    private readonly dispatch: (context: GeneratorContext) => void,
  ) {
    const { i32 } = k;
    i32[thread + Thread.PROCESS] = process;
    k.contexts[i32[thread + Thread.NUMBER]] = this.context;
    this.context.result = NONE;
    i32[thread + Thread.STATE] = ThreadState.RUNNING;
    i32[thread + Thread.RESTART] = Restart.NONE;
  }

  get isDone(): boolean {
    return this.context.result !== NONE;
  }

  get result(): number {
    return this.context.result;
  }

  get word(): number {
    return this.context.regs[Reg.WORDS];
  }

  /** Gives the thread the core if it is ready for it; false if it waits. */
  turn(): boolean {
    const { k, thread } = this;
    const { i32 } = k;
    if (this.isDone) return false;
    if (i32[thread + Thread.STATE] === ThreadState.READY) dequeue(k, thread);
    else if (i32[thread + Thread.STATE] !== ThreadState.RUNNING) return false;
    enter(k, thread);
    k.restarted = i32[thread + Thread.RESTART] === Restart.TRAP;
    i32[thread + Thread.RESTART] = Restart.NONE;
    this.turns++;
    this.dispatch(this.context);
    k.restarted = false;
    k.current = 0;
    k.context = null;
    return true;
  }
}
