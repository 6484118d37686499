/**
 * The images a core has compiled. One hardened realm a worker, one Compartment an image, compiled at
 * its first use; a thread gets its own closures, so module state is private to it. A place in the store has
 * other images in the course of time, with other numbers: what was compiled of one is no use to the next.
 */
import { types } from "node:util";
import type { Main, Sys } from "@capos/abi";
import { moduleNumber, moduleText, readModule } from "@capos/hal";
import { type ContextKind, type Engine, type EngineCore, heapUsedUp, ImageError } from "../engine.js";
import { describeValue, type Fault, faultAt } from "../fault.js";
import { makeClock, ranTooLong } from "./clock.js";
import { GuestContext } from "./guest-context.js";
import { GuestHeap, heapBytes } from "./heap.js";
import { type MemoryAccess, makeMemoryAccess } from "./memory-access.js";
import { compileProgram, hardenRealm } from "./realm.js";
import type { GuestChecks, Program } from "./realm-type.js";
import { GuestSymbols } from "./symbols.js";
import { makeSys } from "./sys.js";

/** Hardens the worker's realm. Once a worker, before any guest: the engine of a core whose guests are generators. */
export function makeGeneratorEngine(k: EngineCore): Engine {
  const heap = new GuestHeap(k);
  const { checks, takeCondemned } = makeClock(k, heap);
  hardenRealm(
    () => {
      // The kernel uses the same built-ins; only a guest's work is counted.
      if (k.inGuest()) checks.work();
    },
    () => symbolsOf(k),
  );
  return Object.freeze({
    kinds: Object.freeze([new GeneratorKind(k, checks, heap, makeMemoryAccess(k, checks))]),
    heapBytes,
    overBudget: () => heap.take(),
    condemnation(): Fault {
      const where = takeCondemned();
      if (!k.overBudget) return faultAt(ranTooLong(k), where);
      heap.take();
      return faultAt(heapUsedUp(k.id), where);
    },
  });
}

/** The registry of the guest that runs, null while the kernel does. */
function symbolsOf(k: EngineCore): GuestSymbols | null {
  if (!k.inGuest() || !(k.context instanceof GuestContext)) return null;
  k.context.symbols ??= new GuestSymbols();
  return k.context.symbols;
}

const MUST_GENERATE = "the default export of a guest must be a generator function";

class GeneratorKind implements ContextKind {
  readonly name = "generator";
  /** By place in the store. */
  private readonly programs = new Map<number, { readonly number: number; readonly program: Program }>();

  constructor(
    private readonly core: EngineCore,
    private readonly checks: GuestChecks,
    private readonly heap: GuestHeap,
    private readonly memory: MemoryAccess,
  ) {}

  make(regs: Float64Array, isSystem: boolean): GuestContext {
    return new GuestContext(regs, isSystem, this.core, this.heap);
  }

  /** Runs the image's module top level (in guest mode: with checks and limit) and calls `main`. */
  begin(context: GuestContext, image: number, startWords: number): void {
    // At the loop's depth, before a guest that could need it on its own.
    this.heap.takeCollector();
    const { tick, tickMain, caught, spread, assigned, notATrap, dropped } = this.checks;
    const main = this.program(image)(tick, tickMain, caught, spread, assigned, notATrap, dropped);
    if (typeof main !== "function") throw new ImageError(`${MUST_GENERATE}, and is ${describeValue(main)}`);
    const sys: Sys = makeSys(context.regs, this.memory, startWords, moduleText(this.core.memory, image));
    const generator: unknown = (main as Main)(sys);
    if (!types.isGeneratorObject(generator))
      throw new ImageError(`${MUST_GENERATE}, and gave ${describeValue(generator)}`);
    context.begin(generator);
    // Its top level may have made much.
    if (this.heap.isDue()) this.core.ranLong = true;
  }

  private program(image: number): Program {
    const known = this.programs.get(image);
    const number = moduleNumber(this.core.memory, image);
    if (known?.number === number) return known.program;
    const module = readModule(this.core.memory, image);
    if (module === null) throw new ImageError(`there is no image in place ${image}`);
    const program = compileProgram(module.code, module.name);
    this.programs.set(image, { number, program });
    return program;
  }
}
