/** The context of a real guest: what it is accounted for besides what it runs. */
import type { EngineCore } from "../engine.js";
import { GeneratorContext } from "./context.js";
import type { GuestHeap, HeapHolder } from "./heap.js";
import type { GuestSymbols } from "./symbols.js";

export class GuestContext extends GeneratorContext implements HeapHolder {
  // Fractions: the fields are doubles from the start.
  freshBytes = 0.5;
  keptBytes = 0.5;
  /** Made when it first asks for one. */
  symbols: GuestSymbols | null = null;

  constructor(
    regs: Float64Array,
    readonly isSystem: boolean,
    private readonly core: EngineCore,
    private readonly heap: GuestHeap,
  ) {
    super(regs);
  }

  override resume(): number {
    const trap = super.resume();
    if (this.heap.isDue()) this.core.ranLong = true;
    return trap;
  }
}
