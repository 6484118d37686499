/** Opens scenarios: the kernel transformed, a machine built, its explorer made. */
import { Explorer, VirtualCores } from "@capos/explorer";
import type { Edit, Program as Transformed } from "@capos/explorer/transform";
import { instantiate, transformProgram } from "@capos/explorer/transform";
import type { Program } from "./kernel-program.js";
import { Machine } from "./machine.js";
import { KERNEL_PROGRAM } from "./program/source.js";
import type { Scenario } from "./scenario.js";
import { KernelWorld } from "./world.js";

export interface Opened {
  readonly explorer: Explorer;
  readonly world: KernelWorld;
  readonly program: Transformed;
}

/** The kernel's code for virtual cores: a second or two. The same for all scenarios; can be sent to workers. */
export function transformKernel(edits: readonly Edit[] = []): Promise<Transformed> {
  return transformProgram({ ...KERNEL_PROGRAM, edits });
}

/** Opens a scenario on a machine of its own: some ten milliseconds. */
export function open(scenario: Scenario, program: Transformed): Opened {
  const runtime = new VirtualCores();
  const world = new KernelWorld(scenario, new Machine(scenario.cores, scenario.ringLines));
  world.power(instantiate(program, runtime, { ...world.host }) as unknown as Program);
  return { explorer: new Explorer(world, runtime), world, program };
}
