/**
 * The root of a system: starts the programs that the host describes, and supervises them.
 *
 * What there is to decide stands in the description, its first argument. It makes the endpoints, gives each program those that it
 * provides and uses and nothing else, and prints what happens, a JSON object a line. It holds what it was given by init: memory,
 * the programs' images, a way to the host, and a way to have each of them known by its own name. A second thread waits for the host to
 * want the end; programs end last to first then.
 */
import { Right, type Sys } from "@capos/abi";
import {
  type ChildDescription,
  cnode,
  type Gift,
  IpcError,
  type Os,
  type Steps,
  Supervisor,
  spawnThread,
  start,
} from "@capos/libos";
import { Registry } from "./registry.js";
import { type ProgramPlan, SystemHost, type SystemPlan } from "./system-plan.js";

/** Bits of the notification; the supervisor's own is 1. */
const STOP = 2;
const FAILED = 1;

export default function* main(sys: Sys) {
  const os = start(sys);
  if (os.threadIndex > 0) return yield* awaitStop(os);
  const { programs, supervisor: options } = JSON.parse(os.args[0]!) as SystemPlan;
  const registry = Registry.client(sys, os.handed.at(-1)!, os.slots);
  const endpoints = new Map<string, number>();
  for (const { provides } of programs) for (const name of provides) endpoints.set(name, yield* os.endpoint());
  const children: ChildDescription[] = [];
  for (const [index, program] of programs.entries()) {
    const { names, log, console } = yield* registry.adopt({ name: program.name, core: program.core });
    children.push({
      name: program.name,
      image: {
        handle: yield* imageNumber(os, program.image),
        assets: yield* imageNumbers(os, program.assets),
      },
      args: program.args,
      core: program.core,
      priority: program.priority,
      threads: program.threads,
      restart: program.restart,
      names: { handle: program.names ? names : 0 },
      log: { handle: log },
      console: { handle: console },
      gifts: giftsOf(program, index, endpoints),
      ...(program.memoryBits !== 0 && { memoryBits: program.memoryBits }),
    });
  }
  const notification = yield* os.notification();
  const stop = yield* os.copy(notification, Right.SEND, STOP);
  yield* spawnThread(os, { handed: [stop, os.handed[0]!] });
  const supervisor = yield* Supervisor.start(
    os,
    children,
    { ...options, report: (report) => os.print(JSON.stringify(report)) },
    notification,
  );
  const end = yield* supervisor.run(function* (bits) {
    if ((bits & STOP) !== 0) yield* supervisor.stop();
  });
  return end === "gave-up" ? FAILED : 0;
}

function* awaitStop(os: Os): Steps<number> {
  try {
    yield* SystemHost.client(os.sys, os.handed[1]!).stop();
  } catch (error) {
    // Without a host there is nobody left to run for.
    if (!(error instanceof IpcError)) throw error;
  }
  yield os.sys.notify(os.handed[0]!);
  return 0;
}

/** What a program finds in `handed`. Each use has a badge of its own, by which a server tells its clients apart. */
function giftsOf(
  { provides, uses }: ProgramPlan,
  index: number,
  endpoints: ReadonlyMap<string, number>,
): Gift[] {
  return [
    ...provides.map((name) => ({ handle: endpoints.get(name)! })),
    ...uses.map(({ endpoint, rights }) => ({
      handle: endpoints.get(endpoint)!,
      rights: Right.SEND | rights,
      badge: index + 1,
    })),
  ];
}

function* imageNumber({ sys, environment }: Os, number: number): Steps<number> {
  return (yield* cnode.inspect(sys, environment.cnode, environment.assets.first + number)).handle;
}

function* imageNumbers(os: Os, numbers: readonly number[]): Steps<number[]> {
  const handles: number[] = [];
  for (const number of numbers) handles.push(yield* imageNumber(os, number));
  return handles;
}
