/** Systems: several programs that the machine's root starts and supervises, as a plan says. */
import type { Image } from "@capos/abi";
import { loadRootImage, type ProgramPlan, SYSTEM_NAME, SystemHost, type SystemPlan } from "@capos/servers";
import type { Backend } from "./backend.js";
import type { RunResult } from "./options.js";
import type { Peer } from "./peer/peer.js";

/** A program with its image; what it imports comes with that. */
export type SystemProgram = Omit<ProgramPlan, "image" | "assets"> & { readonly image: Image };

export interface SystemOptions {
  readonly programs: readonly SystemProgram[];
  readonly supervisor: SystemPlan["supervisor"];
  /** Ends the system, its programs last to first. */
  readonly signal: AbortSignal;
}

/** What starts and ends programs comes to its turn before them, beside the services. */
const ROOT_PRIORITY = 145;
const ROOT_CORE = 0;
/** Bytes for what a process is made of: its CSpace and objects. */
const PROCESS_BYTES = 2 ** 15;
/** Threads of the root's own. */
const ROOT_THREADS = 2;
/** How much memory a thread of the root's and its endpoints take, at least. */
const ROOT_BYTES = 2 ** 16;

/** Runs a system to its end, which is its supervisor's: status 1 if that gave up. @throws UsageError, MachineError */
export async function runSystem(
  backend: Backend,
  peer: Peer,
  takePid: () => number,
  { programs, supervisor, signal }: SystemOptions,
): Promise<RunResult> {
  const images: Image[] = [];
  const numberOf = (image: Image): number => {
    const known = images.findIndex(({ name, code }) => name === image.name && code === image.code);
    return known < 0 ? images.push(image) - 1 : known;
  };
  const plan: SystemPlan = {
    programs: programs.map(({ image, ...program }) => ({
      ...program,
      image: numberOf(image),
      assets: (image.assets ?? []).map(numberOf),
    })),
    supervisor,
  };
  let stop!: () => void;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const serving = await peer.serve(SystemHost, { stop: () => stopped }, {});
  const deposit = await peer.deposit(serving.reference);
  try {
    return await backend.run(
      takePid(),
      { ...loadRootImage(), assets: images },
      {
        name: SYSTEM_NAME,
        args: [JSON.stringify(plan)],
        cores: [ROOT_CORE],
        priority: ROOT_PRIORITY,
        memoryBits: Math.ceil(Math.log2(bytesFor(programs))),
        threads: ROOT_THREADS + programs.reduce((sum, { threads }) => sum + threads, 0),
        debug: false,
        handed: [{ deposit }],
        console: null,
        labelled: true,
        adopts: true,
        isBridge: false,
      },
    );
  } finally {
    signal.removeEventListener("abort", stop);
    peer.withdraw(deposit);
    serving.close();
  }
}

/** Blocks are aligned to their size: a program's take twice their bytes at most. */
function bytesFor(programs: readonly SystemProgram[]): number {
  let bytes = ROOT_BYTES;
  for (const { memoryBits } of programs)
    bytes += 2 * (PROCESS_BYTES + (memoryBits === 0 ? 0 : 2 ** memoryBits));
  return bytes;
}
